"""Spreadsheets handed in on the page: every change shown first, all or nothing, a repeat changes nothing, and
what was entered can be taken back while nobody has changed it."""

import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from metrics.models import Entry, Metric, SheetImport, Value
from metrics.queries.sheet_imports import field_of
from metrics.services import schedule, sheet_imports
from metrics.services.apply import apply
from metrics.services.entries import EntryRow, enter
from metrics.views import importing
from tests.people import Company, company

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
JAN, FEB = date(2026, 1, 1), date(2026, 2, 1)
FILE = """
metrics:
  nps: {name: NPS, unit: score, type: manual, kind: level, grain: month, owner: alice}
  plans: {name: Plans done, unit: percent, type: manual, kind: share, grain: month, owner: alice}
  uptime: {name: Uptime, unit: percent, type: manual, kind: level, grain: month, owner: alice}
  calls: {name: Calls, type: manual, kind: amount, grain: week, by: [team], owner: alice}
  of_bob: {name: Of Bob, type: manual, kind: amount, grain: month, owner: bob}
  twice: {name: Twice, type: derived, unit: score, formula: nps * 2, owner: alice}
"""
WIDE = "Metric\tJan 2026\tFeb 2026\nNPS\t41\t43\nUptime\t98.5 %\tn/a\n"


@pytest.fixture
def people(db: None) -> Any:
    with time_machine.travel(NOW, tick=False):
        made = company()
        Metric.objects.all().delete()
        apply(FILE, now=NOW)
        yield made


def client_of(people: Company, name: str = "alice") -> Client:
    client = Client()
    client.force_login(people.users[name])
    return client


def hand_in(client: Client, cells: str | bytes, name: str = "figures.csv") -> str:
    """The address of the sheet's preview."""
    if isinstance(cells, bytes):
        answer = client.post("/import/", {"file": SimpleUploadedFile(name, cells)})
    else:
        answer = client.post("/import/", {"cells": cells})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def shown(client: Client, address: str) -> dict[str, tuple[str, str, str]]:
    """Cell -> (stored, in the sheet, what happens) of the preview."""
    told = client.get(address).context["shown"].told
    return {line.figure.place: (line.before, line.after, line.problem or line.what) for line in told}


def take(client: Client, address: str, digest: str = "") -> Any:
    digest = digest or client.get(address).context["shown"].digest
    return client.post(address, {"do": "enter", "digest": digest})


def stored() -> dict[tuple[str, date], float | None]:
    return {(e.metric.key, e.period_start): e.value for e in Entry.objects.select_related("metric")}


def test_every_change_is_shown_before_it_is_made(people: Company) -> None:
    enter(
        Metric.objects.get(key="nps"), [EntryRow(JAN, 41.0), EntryRow(FEB, 40.0)], author=None, origin="page"
    )
    client = client_of(people)
    address = hand_in(client, WIDE)
    assert shown(client, address) == {
        "B2": ("41", "41", "same"),
        "C2": ("40", "43", "changed"),
        "B3": ("", "98.5\u202f%", "new"),
    }
    page = client.get(address).content.decode()
    assert "Enter 2 figures" in page and "1 blank or left out" in page
    assert stored()["nps", FEB] == 40, "nothing was entered yet"


def test_every_change_of_a_long_sheet_can_be_seen(people: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "SHOWN", 2)
    client = client_of(people)
    address = hand_in(client, "Month\tNPS\n" + "\n".join(f"2025-{n:02}\t{n}" for n in range(1, 6)))
    seen: list[list[str]] = []
    page = ""
    for _ in range(4):
        text = client.get(address + page).content.decode()
        seen.append(re.findall(r'<th scope="row">(B\d+)</th>', text))
        found = re.search(r'href="(\?page=\d+)" rel="next"', text)
        if found is None:
            break
        page = found[1]
    assert seen == [["B2", "B3"], ["B4", "B5"], ["B6"]]
    assert "5 to 5 of 5" in text and 'rel="prev"' in text
    for nonsense in ("?page=0", "?page=-1", "?page=x", "?page=\uff12"):
        assert ">B2</th>" in client.get(address + nonsense).content.decode()
    assert ">B6</th>" in client.get(address + "?page=9999").content.decode()
    take(client, address)
    assert len(stored()) == 5  # all, whatever page was looked at


def test_it_is_entered_with_all_that_follows_and_a_repeat_changes_nothing(people: Company) -> None:
    client = client_of(people)
    address = hand_in(client, WIDE)
    assert take(client, address).status_code == 302
    assert stored() == {("nps", JAN): 41, ("nps", FEB): 43, ("uptime", JAN): pytest.approx(0.985)}
    assert Value.objects.get(metric__key="twice", grain="month", period_start=FEB).value == 86
    entry = Entry.objects.filter(metric__key="nps").first()
    assert (entry.origin, entry.author) == ("file", people.alice)
    again = hand_in(client, WIDE)
    assert {what for _, _, what in shown(client, again).values()} == {"same"}
    assert "nothing to enter" in client.get(again).content.decode()
    assert take(client, address, "x").status_code == 409, "a sheet is entered once"


def workbook(rows: list[list[Any]]) -> bytes:
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made)
    sheet = book.add_worksheet("Figures")
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            sheet.write(r, c, cell)
    book.close()
    return made.getvalue()


def test_a_workbook_with_a_figure_a_row(people: Company) -> None:
    rows = [
        ["Date", "Metric", "Numerator", "Denominator", "Value", "Note"],
        ["2026-01-01", "plans", 18, 25, "", "CRM"],
        ["2026-02-01", "Plans done", 19, 25, "", ""],
        ["2026-01-01", "NPS", "", "", 41, ""],
    ]
    client = client_of(people)
    assert take(client, hand_in(client, workbook(rows), "figures.xlsx")).status_code == 302
    shares = Entry.objects.filter(metric__key="plans").order_by("period_start")
    assert list(shares.values_list("numerator", "denominator", "note")) == [(18, 25, "CRM"), (19, 25, "")]
    assert stored()["nps", JAN] == 41


@pytest.mark.parametrize(
    ("written", "figure"),
    [("72 %", 0.72), ("72", 0.72), ("0.72", 0.72), ("72,5 %", 0.725), ("98.5", 0.985)],
)
def test_percent_however_it_is_written(people: Company, written: str, figure: float) -> None:
    client = client_of(people)
    take(client, hand_in(client, f"Month;Uptime\nJan 2026;{written}\n"))
    assert stored() == {("uptime", JAN): pytest.approx(figure)}


def test_members_of_a_dimension(people: Company) -> None:
    client = client_of(people)
    cells = "Metric\tTeam\t2 Mar 2026\t9 Mar 2026\nCalls\tNorth\t7\t8\nCalls\tSouth\t5\t6\n"
    assert take(client, hand_in(client, cells)).status_code == 302
    found = Entry.objects.values_list("dimension", "member", "period_start__day", "value")
    assert sorted(found) == [
        ("team", "North", 2, 7), ("team", "North", 9, 8), ("team", "South", 2, 5), ("team", "South", 9, 6),
    ]  # fmt: skip


WRONG = [
    ("Metric\tJan 2026\tApr 2026\nNPS\t41\t43\n", "C2", "lies in the future"),
    ("Metric\tJan 2026\tFeb 2026\nNPS\t41\tmany\n", "C2", "not a number"),
    ("Metric\tJan 2026\tFeb 2026\nNPS\t41\t43\nTwice\t1\t2\n", "B3", "Which metric"),
    ("Metric\tJan 2026\tFeb 2026\nNPS\t41\t43\nOf Bob\t1\t2\n", "C3", "Which metric"),
    ("Metric\tJan 2026\tFeb 2026\nNPS\t41\t43\nPlans done\t50 %\t60 %\n", "B3", "two numbers"),
    ("Metric\tQ4 2025\tQ1 2026\nNPS\t41\t43\n", "B2", "counted monthly"),
]


@pytest.mark.parametrize(("cells", "place", "said"), WRONG, ids=range(len(WRONG)))
def test_one_wrong_cell_keeps_all_from_being_entered(
    people: Company, cells: str, place: str, said: str
) -> None:
    client = client_of(people)
    address = hand_in(client, cells)
    assert said in shown(client, address)[place][2]
    page = client.get(address).content.decode()
    assert said in page and 'value="enter"' not in page
    assert take(client, address).status_code == 409
    assert not Entry.objects.exists()


def test_what_a_name_or_a_column_means_can_be_chosen(people: Company) -> None:
    client = client_of(people)
    address = hand_in(client, "KPI\tJan 2026\tFeb 2026\nPromoters\t41\t43\nOther\t1\t2\n")
    assert all("Which metric" in what for _, _, what in shown(client, address).values())
    form = {"do": "map", f"{field_of('Promoters')}-what": "metric:nps", f"{field_of('Other')}-what": "skip"}
    form["choice-layout"] = "wide"
    assert client.post(address, form).status_code == 302
    assert shown(client, address) == {"B2": ("", "41", "new"), "C2": ("", "43", "new")}
    take(client, address)
    assert stored() == {("nps", JAN): 41, ("nps", FEB): 43}


def test_a_column_chosen_otherwise_is_read_otherwise(people: Company) -> None:
    client = client_of(people)
    address = hand_in(client, "Month\tNPS\tUptime\nJan 2026\t41\t0.9\nFeb 2026\t43\t0.8\n")
    assert len(shown(client, address)) == 4
    client.post(address, {"do": "map", "column-2": "ignore", "proposed-2": "value"})
    assert set(shown(client, address)) == {"B2", "B3"}
    assert client.get(address).context["shown"].columns[2].proposed == "", "the choice stays chosen"


def test_a_metric_of_another_cannot_be_chosen(people: Company) -> None:
    client = client_of(people)
    address = hand_in(client, "KPI\tJan 2026\tFeb 2026\nX\t41\t43\n")
    client.post(address, {"do": "map", f"{field_of('X')}-what": "metric:of_bob"})
    assert "Which metric" in shown(client, address)["B2"][2]
    assert take(client, address).status_code == 409 and not Entry.objects.exists()


def test_a_figure_that_somebody_changed_since_is_shown_again(people: Company) -> None:
    client = client_of(people)
    address = hand_in(client, WIDE)
    digest = client.get(address).context["shown"].digest
    enter(Metric.objects.get(key="nps"), [EntryRow(JAN, 50.0)], author=None, origin="page")
    answer = take(client, address, digest)
    assert answer.status_code == 409 and "changed figures since" in answer.content.decode()
    assert stored() == {("nps", JAN): 50}
    assert shown(client, address)["B2"] == ("50", "41", "changed")
    take(client, address)
    assert stored()["nps", JAN] == 41


def test_it_can_be_taken_back(people: Company) -> None:
    enter(Metric.objects.get(key="nps"), [EntryRow(FEB, 40.0, note="by phone")], author=None, origin="page")
    client = client_of(people)
    address = hand_in(client, WIDE)
    take(client, address)
    assert len(stored()) == 3
    assert client.post(address, {"do": "undo"}).status_code == 302
    (entry,) = Entry.objects.all()
    assert (entry.period_start, entry.value, entry.note) == (FEB, 40, "by phone")
    assert client.post(address, {"do": "undo"}).status_code == 409
    assert "Taken back" in client.get(address).content.decode()


def test_what_was_changed_since_is_not_taken_back(people: Company) -> None:
    client = client_of(people)
    address = hand_in(client, WIDE)
    take(client, address)
    enter(Metric.objects.get(key="nps"), [EntryRow(FEB, 60.0)], author=people.alice, origin="page")
    answer = client.post(address, {"do": "undo"})
    assert answer.status_code == 409
    assert "changed meanwhile by Alice: it is 60 now" in answer.content.decode()
    assert len(stored()) == 3 and stored()["nps", FEB] == 60


def test_whoever_lost_the_right_takes_nothing_back(people: Company) -> None:
    from owners.models import Ownership

    client = client_of(people)
    address = hand_in(client, WIDE)
    take(client, address)
    Ownership.objects.all().delete()
    assert client.post(address, {"do": "undo"}).status_code == 409
    assert len(stored()) == 3


def test_anothers_sheet_is_as_if_there_were_none(people: Company) -> None:
    address = hand_in(client_of(people), WIDE)
    for name in ("bob", "admin"):
        other = client_of(people, name)
        assert other.get(address).status_code == 404
        for do in ("enter", "undo", "map"):
            assert other.post(address, {"do": do, "digest": "x"}).status_code == 404
    assert not Entry.objects.exists()
    with pytest.raises(sheet_imports.Gone):
        sheet_imports.take_over(people.bob, SheetImport.objects.get(), whole=True, digest="x")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("   ", "nothing in it"),
        (b"PK\x03\x04broken", "This workbook cannot be read"),
        (b"\xd0\xcf\x11\xe0old", "This kind of file is not read"),
        (b"a\x00b", "This is not a text or a workbook"),
        (b"x" * 5_000_001, "larger than 5 MB"),
    ],
    ids=range(5),
)
def test_what_is_no_sheet_is_refused_in_words(people: Company, cells: str | bytes, said: str) -> None:
    client = client_of(people)
    form = {"cells": cells} if isinstance(cells, str) else {"file": SimpleUploadedFile("f.xlsx", cells)}
    answer = client.post("/import/", form)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not SheetImport.objects.exists()


def test_more_cells_than_a_request_may_have_are_refused_in_words(people: Company) -> None:
    answer = client_of(people).post("/import/", {"cells": "x" * 2_700_000})
    assert answer.status_code == 400
    assert "pasted is larger than 2.5 MB. Send it in parts or as a file." in answer.content.decode()
    assert "address makes no sense" not in answer.content.decode()
    assert not SheetImport.objects.exists()


def test_hostile_texts_are_shown_as_texts(people: Company) -> None:
    client = client_of(people)
    evil = "<script>alert(1)</script>"
    address = hand_in(client, f"Metric\tJan 2026\tFeb 2026\n{evil}\t=1+1\t2\n@{evil}\t1\t2\n")
    page = client.get(address).content.decode()
    assert evil not in page and "&lt;script&gt;" in page
    assert not re.search(r"on\w+=", page.split("import-map")[1].split("</form>")[0])


def test_sheets_are_forgotten(people: Company) -> None:
    client = client_of(people)
    hand_in(client, WIDE)
    take(client, hand_in(client, "Month\tNPS\nJan 2026\t41\nFeb 2026\t42\n"))
    assert SheetImport.objects.count() == 2
    schedule.tick(NOW + sheet_imports.KEPT + timedelta(seconds=1))
    assert SheetImport.objects.get().accepted_at is not None
    schedule.tick(NOW + sheet_imports.BACK + timedelta(seconds=1))
    assert not SheetImport.objects.exists()


def test_only_a_few_wait(people: Company) -> None:
    client = client_of(people)
    addresses = [hand_in(client, WIDE) for _ in range(7)]
    assert [client.get(address).status_code for address in addresses] == [404] * 2 + [200] * 5


def test_who_counts_nothing_is_told_so(people: Company) -> None:
    assert "You count no figures by hand" in client_of(people, "viewer").get("/import/").content.decode()
