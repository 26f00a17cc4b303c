"""Grids and forms: what is saved, by whom, what is refused where, and that a conflict is seen."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from calc.calendar import Grain
from metrics.models import (
    Benchmark,
    Disposition,
    Entry,
    HeldDecision,
    Metric,
    MetricState,
    Run,
    Target,
    Value,
)
from owners.models import Ownership, Summary, User
from tests.metrics.stage import CALENDAR, Stage, stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Stage:
    return stage(timezone.localdate())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def inputs(client: Client, path: str) -> dict[str, str]:
    """The fields of a page's form as a browser would send them."""
    from html.parser import HTMLParser

    fields: dict[str, str] = {}

    class Reader(HTMLParser):
        inside = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            name = given.get("name")
            if given.get("type") in ("radio", "checkbox") and "checked" not in given:
                return
            if tag == "input" and name and "disabled" not in given:
                fields[name] = given.get("value") or ""

    Reader().feed(client.get(path).content.decode())
    return fields


def share(company: Stage, numerator: str, denominator: str, note: str = "") -> dict[str, str]:
    day = company.month.isoformat()
    return {f"numerator-{day}": numerator, f"denominator-{day}": denominator, f"note-{day}": note}


def test_a_leader_enters_a_share_as_two_numbers(company: Stage) -> None:
    client = signed_in(company.elena)
    fields = inputs(client, "/metrics/plans/values/")
    response = client.post("/metrics/plans/values/", fields | share(company, "18", "25", "one moved"))
    assert (response.status_code, response["Location"]) == (302, "/metrics/plans/values/")
    entry = Entry.objects.get(metric__key="plans", period_start=company.month)
    assert (entry.numerator, entry.denominator, entry.note, entry.author) == (
        18,
        25,
        "one moved",
        company.elena,
    )
    assert Value.objects.get(metric__key="plans", grain="month", period_start=company.month).value == 0.72
    assert "72" in client.get(f"/metrics/plans/{company.state}").content.decode()


def test_htmx_shows_the_new_figure_at_once(company: Stage) -> None:
    client = signed_in(company.elena)
    fields = inputs(client, f"/metrics/plans/values/{company.state}") | share(company, "18", "25")
    response = client.post(f"/metrics/plans/values/{company.state}", fields, headers={"HX-Request": "true"})
    part = response.content.decode()
    assert response.status_code == 200
    assert "Saved." in part
    assert "72\u202f%" in part
    assert "<html" not in part


def test_one_wrong_cell_saves_nothing(company: Stage) -> None:
    client = signed_in(company.elena)
    before = (company.month - timedelta(days=1)).replace(day=1).isoformat()
    fields = (
        inputs(client, "/metrics/plans/values/") | share(company, "30", "25") | {f"note-{before}": "a note"}
    )
    response = client.post("/metrics/plans/values/", fields)
    assert response.status_code == 422
    page = response.content.decode()
    assert "The first number must lie between 0 and the second." in page
    assert 'value="30"' in page
    assert Entry.objects.filter(metric__key="plans").count() == 1
    assert Entry.objects.get(metric__key="plans").note == ""


def test_two_writers_of_one_cell_see_each_other(company: Stage) -> None:
    client = signed_in(company.elena)
    mine = inputs(client, "/metrics/plans/values/") | share(company, "18", "25")
    theirs = inputs(client, "/metrics/plans/values/") | share(company, "17", "25")
    assert client.post("/metrics/plans/values/", theirs).status_code == 302
    refused = client.post("/metrics/plans/values/", mine)
    assert refused.status_code == 422
    assert "changed meanwhile by Elena: it is 17 of 25 now" in refused.content.decode()
    assert Entry.objects.get(metric__key="plans", period_start=company.month).numerator == 17
    # whoever has read that may write over it
    token = f"token-{company.month.isoformat()}"
    again = mine | {token: reread(refused.content.decode(), token)}
    assert client.post("/metrics/plans/values/", again).status_code == 302
    assert Entry.objects.get(metric__key="plans", period_start=company.month).numerator == 18


def reread(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="')[1].split('"')[0]


def test_an_emptied_cell_takes_the_figure_away(company: Stage) -> None:
    client = signed_in(company.elena)
    before = (company.month - timedelta(days=1)).replace(day=1).isoformat()
    fields = inputs(client, "/metrics/plans/values/")
    assert fields[f"numerator-{before}"] == "14"
    fields |= {f"numerator-{before}": "", f"denominator-{before}": ""}
    assert client.post("/metrics/plans/values/", fields).status_code == 302
    assert not Entry.objects.filter(metric__key="plans").exists()


@pytest.mark.parametrize("who", ["viewer", "charlie", "analyst", "executive", "admin"])
def test_nobody_else_enters_figures(company: Stage, who: str) -> None:
    client = signed_in(getattr(company, who))
    fields = share(company, "18", "25") | {f"token-{company.month.isoformat()}": ""}
    assert client.post("/metrics/plans/values/", fields).status_code == 403
    assert Entry.objects.filter(metric__key="plans").count() == 1


def grid(company: Stage, key: str, target: str, *months: str) -> dict[str, str]:
    cells = {f"month-{key}-{m:%Y-%m}": text for m, text in zip(company.months, months, strict=True)}
    return {f"target-{key}": target, **cells}


def test_an_executive_sets_targets_and_benchmarks(company: Stage) -> None:
    client = signed_in(company.executive)
    path = f"/targets/{company.quarter}/"
    fields = inputs(client, path) | grid(company, "orders", "9,600", "3,000", "3,200", "3,400")
    assert client.post(path, fields | {"reason": "a new depot"}).status_code == 302
    target = Target.objects.get(metric__key="orders")
    assert (target.value, target.reason, target.author) == (9_600, "a new depot", company.executive)
    assert list(Benchmark.objects.filter(target=target).values_list("value", flat=True)) == [3000, 3200, 3400]
    assert Target.objects.get(metric__key="on_time").value == 0.95  # untouched lines stay


def test_months_that_miss_the_target_save_nothing(company: Stage) -> None:
    client = signed_in(company.executive)
    path = f"/targets/{company.quarter}/"
    fields = inputs(client, path) | grid(company, "orders", "9600", "3000", "3000", "3000")
    fields |= grid(company, "on_time", "96", "93", "94", "96")
    response = client.post(path, fields)
    assert response.status_code == 422
    assert "600 less than the target" in response.content.decode()
    assert Target.objects.get(metric__key="orders").value == 9_300
    assert Target.objects.get(metric__key="on_time").value == 0.95


def test_a_target_set_meanwhile_is_seen(company: Stage) -> None:
    client = signed_in(company.executive)
    path = f"/targets/{company.quarter}/"
    mine = inputs(client, path) | grid(company, "on_time", "97", "93", "95", "97")
    theirs = inputs(client, path) | grid(company, "on_time", "96", "93", "94", "96")
    assert client.post(path, theirs).status_code == 302
    refused = client.post(path, mine)
    assert refused.status_code == 422
    assert "changed meanwhile" in refused.content.decode()
    assert Target.objects.get(metric__key="on_time").value == 0.96


@pytest.mark.parametrize("who", ["viewer", "elena"])
def test_others_read_targets_and_set_none(company: Stage, who: str) -> None:
    client = signed_in(getattr(company, who))
    path = f"/targets/{company.quarter}/"
    assert b"Save targets" not in client.get(path).content
    assert client.post(path, grid(company, "orders", "1", "1", "0", "0")).status_code == 403
    assert Target.objects.get(metric__key="orders").value == 9_300


def test_a_metric_is_handed_over(company: Stage) -> None:
    client = signed_in(company.executive)
    path = "/metrics/on_time/owner/"
    fields = inputs(client, path) | {"leader": "charlie", "note": "new team"}
    assert client.post(path, fields).status_code == 302
    row = Ownership.objects.get(metric_key="on_time", from_date=company.today)
    assert (row.leader, row.note) == (company.charlie.leader, "new team")
    # a form opened before that is told
    stale = client.post(path, fields | {"leader": "elena"})
    assert stale.status_code == 422
    assert "changed while you were choosing" in stale.content.decode()
    assert client.post(path, fields | {"from_date": "2999-01-01"}).status_code == 422
    assert Ownership.objects.filter(metric_key="on_time").count() == 2


@pytest.mark.parametrize("who", ["viewer", "elena"])
def test_others_hand_nothing_over(company: Stage, who: str) -> None:
    client = signed_in(getattr(company, who))
    fields = {"leader": "elena", "from_date": company.today.isoformat()}
    assert client.post("/metrics/orders/owner/", fields).status_code == 403
    assert Ownership.objects.filter(metric_key="orders").count() == 1


def test_a_leader_writes_the_own_summary_alone(company: Stage) -> None:
    path = f"/leaders/elena/summary/{company.state}"
    client = signed_in(company.elena)
    first = client.post(path, {"text": "Slow start.", "needs": "Two recruiters.", "token": ""})
    assert first.status_code == 302
    summary = Summary.objects.get()
    assert (summary.text, summary.needs, summary.quarter) == (
        "Slow start.",
        "Two recruiters.",
        company.quarter,
    )
    late = client.post(path, {"text": "Written elsewhere.", "needs": "", "token": ""})
    assert late.status_code == 422
    assert "changed while you were writing" in late.content.decode()
    assert "Written elsewhere." in late.content.decode()
    for other in (company.charlie, company.viewer, company.executive, company.admin):
        assert signed_in(other).post(path, {"text": "x", "needs": "", "token": ""}).status_code == 403
    assert Summary.objects.get().text == "Slow start."


def test_an_unusual_change_is_explained(company: Stage) -> None:
    client = signed_in(company.charlie)
    odd = Value.objects.get(metric__key="orders", grain="week", value=2_000.0).period_start
    path = f"/metrics/orders/signals/?grain=week&start={odd}"
    assert b"What was it?" in client.get(path).content
    assert client.post(path, {"text": ""}).status_code == 422
    assert client.post(path, {"text": "A festival."}).status_code == 302
    said = Disposition.objects.get()
    assert (said.text, said.period_start, said.leader_name) == ("A festival.", odd, "Charlie")
    assert b"A festival." in client.get("/metrics/orders/?grain=week").content
    assert client.get("/metrics/orders/signals/?grain=week&start=1999-01-04").status_code == 404
    assert signed_in(company.elena).post(path, {"text": "x"}).status_code == 403


def test_an_analyst_asks_for_an_update_and_a_leader_cannot(company: Stage) -> None:
    assert signed_in(company.elena).post("/settings/updates/now/").status_code == 403
    assert Run.objects.count() == 1
    response = signed_in(company.analyst).post("/settings/updates/now/", {"source": "orders"}, follow=True)
    assert "An update is asked for" in response.content.decode()
    run = Run.objects.exclude(state="done").get()
    assert (run.source.key, run.cause, run.requested_by) == ("orders", "request", company.analyst)
    assert 'hx-trigger="every 2s"' in response.content.decode()  # it renews itself while one is open
    for unknown in ("nothing", "\0", "orders\0"):
        answer = signed_in(company.analyst).post("/settings/updates/now/", {"source": unknown})
        assert answer.status_code == 404, unknown
    assert Run.objects.count() == 2


def test_no_address_writes_by_get(company: Stage) -> None:
    client = signed_in(company.admin)
    assert client.get("/settings/updates/now/").status_code == 405
    assert Run.objects.count() == 1


def test_a_write_without_its_token_is_refused(company: Stage) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(company.elena)
    assert client.post("/metrics/plans/values/", share(company, "1", "2")).status_code == 403
    assert Entry.objects.filter(metric__key="plans").count() == 1


def held(company: Stage) -> MetricState:
    """An orders figure that a recompute found implausible."""
    entry = {
        "grain": "month",
        "period_start": company.month.isoformat(),
        "period_end": CALENDAR.period(Grain.MONTH, company.month).end.isoformat(),
        "value": 90_000.0,
        "reason": "90000 is above the highest plausible figure, 5000",
    }
    return MetricState.objects.create(metric=Metric.objects.get(key="orders"), held=[entry])


WAITS = "is above the highest plausible figure"


def decision(client: Client, outcome: str, reason: str = "A fair in town.") -> dict[str, str]:
    fields = inputs(client, "/metrics/orders/")
    return {"figure": fields["figure"], "outcome": outcome, "reason": reason}


@pytest.mark.parametrize("who", ["analyst", "charlie"])
def test_a_held_figure_is_released_with_a_reason_by_who_knows(company: Stage, who: str) -> None:
    held(company)
    client = signed_in(getattr(company, who))
    page = client.get(f"/metrics/orders/{company.state}").content.decode()
    assert WAITS in page
    assert "Release: it is right" in page
    said = decision(client, "released", " ")
    refused = client.post("/metrics/orders/held/", said, follow=True).content.decode()
    assert "Say in a sentence why." in refused
    assert not HeldDecision.objects.exists()
    shown = client.post("/metrics/orders/held/", decision(client, "released"), follow=True).content.decode()
    assert "The held figure is released. The next update takes it in." in shown
    assert WAITS not in shown
    assert "A fair in town." in shown
    state, made = MetricState.objects.get(), HeldDecision.objects.get()
    assert (state.held, state.dirty_from) == ([], company.month)
    assert (made.outcome, made.author, made.value) == ("released", getattr(company, who), 90_000.0)


def test_a_rejected_figure_keeps_the_last_good_one_and_is_marked(company: Stage) -> None:
    held(company)
    client = signed_in(company.analyst)
    shown = client.post("/metrics/orders/held/", decision(client, "rejected", "Loaded twice."), follow=True)
    assert "rejected. The last good one stays." in shown.content.decode()
    assert MetricState.objects.get().dirty_from is None
    for path in ("/", "/metrics/orders/"):
        page = signed_in(company.viewer).get(f"{path}{company.state}").content.decode()
        assert "figure rejected" in page
        assert "Loaded twice." in page


def test_what_nobody_has_seen_is_not_decided(company: Stage) -> None:
    held(company)
    form = {"figure": "month:2020-01-01:2020-02-01:1.0", "outcome": "released", "reason": "Well."}
    shown = signed_in(company.analyst).post("/metrics/orders/held/", form, follow=True).content.decode()
    assert "No figure is held any more." in shown
    assert len(MetricState.objects.get().held) == 1


@pytest.mark.parametrize("who", ["viewer", "elena", "executive"])
def test_nobody_else_decides_about_a_held_figure(company: Stage, who: str) -> None:
    held(company)
    client = signed_in(getattr(company, who))
    page = client.get(f"/metrics/orders/{company.state}").content.decode()
    assert "Release: it is right" not in page
    form = {"outcome": "released", "reason": "Fine."}
    assert client.post("/metrics/orders/held/", form).status_code == 403
    assert len(MetricState.objects.get().held) == 1
    assert not HeldDecision.objects.exists()


def test_who_changed_what_is_told_beside_the_metric(company: Stage) -> None:
    executive = signed_in(company.executive)
    path = f"/targets/{company.quarter}/"
    fields = inputs(executive, path) | grid(company, "orders", "9,600", "3,100", "3,100", "3,400")
    assert executive.post(path, fields | {"reason": "a new depot"}).status_code == 302
    page = executive.get(f"/metrics/orders/{company.state}").content.decode()
    assert "9\u202f300 became <strong>9\u202f600</strong>" in page
    assert "3\u202f100 became <strong>3\u202f400</strong>" in page
    assert page.count("3\u202f100 became") == 1  # months that stayed are no change
    assert "a new depot" in page
    assert "<bdi>Executive</bdi>" in page


def test_a_corrected_figure_keeps_the_one_before_in_sight(company: Stage) -> None:
    client = signed_in(company.elena)
    path = "/metrics/plans/values/"
    for numerator in ("18", "19"):
        fields = inputs(client, path) | share(company, numerator, "25")
        assert client.post(path, fields).status_code == 302
    page = client.get(path).content.decode()
    assert "18 of 25 became <strong>19 of 25</strong>" in page
    fields = inputs(client, path) | share(company, "", "")
    assert client.post(path, fields).status_code == 302
    assert "19 of 25 was taken away" in client.get(path).content.decode()
