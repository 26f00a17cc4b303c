"""The page of changes: who, when, from where, before and after; for admins and executives alone."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pghistory
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calc.calendar import Calendar
from metrics.models import Benchmark, Metric, Source, Target, Warehouse
from metrics.queries import audit
from metrics.queries.audit import Change, Cut, Difference
from metrics.spreadsheets import csv_text, safe_cell
from metrics.templatetags.words import told
from owners.models import Cadence, Channel, Deviation, Leader, Leave, Ownership, Role, User
from tests.metrics import making
from tests.metrics.stage import Stage, stage

pytestmark = pytest.mark.django_db
CALENDAR = Calendar()
PAGE, FILE = "/settings/audit/", "/settings/audit/changes.csv"


@pytest.fixture
def company() -> Stage:
    return stage(timezone.localdate())


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def newest(title: str) -> Change:
    """The newest change of that kind of object; a test's changes all bear its transaction's time."""
    return next(c for c in audit.changes(Cut(), CALENDAR, limit=500).changes if c.title == title)


def test_a_target_before_and_after(company: Stage) -> None:
    with pghistory.context(user=company.executive.pk, origin="page", url="/targets/2026-Q3/"):
        Target.objects.filter(metric__key="orders").update(value=9_000.0, reason="two weeks closed")
    change = newest("target")
    assert (change.who, change.origin) == ("Executive", "/targets/2026-Q3/")
    assert (change.title, change.what) == ("target", "changed")
    assert change.name == f"Orders, {CALENDAR.quarter_label(company.quarter)}"
    assert timezone.now() - change.at < timedelta(minutes=5)
    assert change.differences == (
        Difference("target", "9\u202f300", "9\u202f000"),
        Difference("reason", "", "two weeks closed"),
    )
    assert [(d.column, d.was, d.now) for d in change.differences] == [
        ("value", "9300", "9000"),
        ("reason", "", "two weeks closed"),
    ]


def test_roles_owners_definitions_and_removals(company: Stage) -> None:
    User.objects.filter(pk=company.viewer.pk).update(role=Role.ANALYST)
    role = newest("account")
    assert role.differences == (Difference("role", "Viewer", "Analyst"),)
    assert (role.name, role.who) == ("Viewer", "")
    Ownership.objects.filter(metric_key="orders").update(leader=Leader.objects.get(key="elena"))
    assert newest("owner").name == "Orders"
    assert newest("owner").differences == (Difference("owner", "Charlie", "Elena"),)
    spec = {"measure": {"source": "orders", "agg": "sum", "expr": "amount"}}
    Metric.objects.filter(key="orders").update(spec=spec)
    assert newest("metric").differences == (
        Difference("measure: aggregate", "number of rows", "sum"),
        Difference("measure: expression", "", "amount"),
    )
    Benchmark.objects.filter(target__metric__key="plans").first().delete()
    gone = newest("plan of a month")
    assert gone.what == "removed"
    assert gone.name.startswith(f"Success plans done, {CALENDAR.quarter_label(company.quarter)}: ")
    assert ("our plan", "70\u202f%", "") in {(d.name, d.before, d.after) for d in gone.differences}


def test_names_of_what_is_gone_stay(company: Stage) -> None:
    Metric.objects.filter(key="plans").delete()
    found = audit.changes(Cut(kind="figure"), CALENDAR).changes
    assert {c.what for c in found} == {"new", "removed"}
    assert all(c.name.startswith("Success plans done, ") for c in found)


def test_filters(company: Stage) -> None:
    with pghistory.context(user=company.admin.pk):
        Target.objects.filter(metric__key="orders").update(value=1.0)
    mine = audit.changes(Cut(person=str(company.admin.pk)), CALENDAR).changes
    assert [c.title for c in mine] == ["target"]
    nobody = audit.changes(Cut(person="nobody"), CALENDAR, limit=500).changes
    assert nobody
    assert all(not c.who for c in nobody)
    assert {c.title for c in audit.changes(Cut(kind="owner"), CALENDAR).changes} == {"owner"}
    by_name = audit.changes(Cut(text="success PLANS"), CALENDAR, limit=500).changes
    assert {c.title for c in by_name} == {"metric", "owner", "figure", "target", "plan of a month"}
    assert audit.changes(Cut(text="100%_no\\such"), CALENDAR).changes == ()
    day = newest("target").at.date()
    assert audit.changes(Cut(start=day, end=day), CALENDAR).changes
    assert not audit.changes(Cut(end=day - timedelta(days=1)), CALENDAR).changes
    assert not audit.changes(Cut(start=day + timedelta(days=1)), CALENDAR).changes


def test_days_are_local(company: Stage) -> None:
    with connection.cursor() as cursor:
        cursor.execute("delete from owners_teamevent")
        cursor.execute(
            "insert into owners_teamevent (pgh_created_at, pgh_label, pgh_obj_id, id, key, name) "
            "values (%s, 'insert', 7, 7, 'late', 'Late')",
            [datetime(2026, 3, 1, 23, 30, tzinfo=UTC)],
        )
    berlin = Calendar(timezone="Europe/Berlin")  # there it was 0:30 on the second
    second = audit.changes(Cut(start=date(2026, 3, 2), end=date(2026, 3, 2)), berlin).changes
    assert [c.name for c in second] == ["Late"]
    assert not audit.changes(Cut(start=date(2026, 3, 1), end=date(2026, 3, 1)), berlin).changes


def test_what_the_machinery_moves_is_no_change(company: Stage) -> None:
    before = len(audit.changes(Cut(kind="definition"), CALENDAR, limit=500).changes)
    for day in (1, 2, 3):
        Source.objects.update(watermark=date(2026, 1, day))
    Source.objects.update(failed_since=datetime(2026, 1, 4, tzinfo=UTC))
    Source.objects.update(late_since=datetime(2026, 1, 5, tzinfo=UTC), failed_since=None)
    assert len(audit.changes(Cut(kind="definition"), CALENDAR, limit=500).changes) == before
    Source.objects.update(spec={"table": "other"})
    change = newest("source")
    assert change.name == "orders"
    assert Difference("table", "orders", "other") in change.differences


def test_no_secret_is_shown_nor_found(company: Stage) -> None:
    options = {"host": "db", "password": "hunter22", "nested": {"token": "t0ps3cret"}, "api_key": "${KEY}"}
    Warehouse.objects.update(options=options, secrets="gAAAA-cipher")
    User.objects.filter(pk=company.viewer.pk).update(password="argon2$hash")
    client = signed_in(company.admin)
    for path in (PAGE, FILE):
        text = client.get(path).content.decode()
        assert "connection: host" in text
        assert "${KEY}" in text
        for secret in ("hunter22", "t0ps3cret", "gAAAA", "argon2"):
            assert secret not in text
    assert "hunter22" not in client.get(PAGE + "?kind=definition").content.decode()
    assert audit.changes(Cut(text="hunter22"), CALENDAR).changes == ()


def test_only_admins_and_executives(company: Stage) -> None:
    answers = {
        user.role: [signed_in(user).get(path).status_code for path in (PAGE, FILE)]
        for user in (company.viewer, company.elena, company.analyst, company.executive, company.admin)
    }
    assert answers == {
        "viewer": [403, 403],
        "leader": [403, 403],
        "analyst": [403, 403],
        "executive": [200, 200],
        "admin": [200, 200],
    }
    assert Client().get(PAGE)["Location"].startswith("/account/login/")
    for user, there in ((company.executive, True), (company.analyst, False)):
        assert (PAGE in signed_in(user).get("/settings/").content.decode()) is there


def test_pages_follow_each_other_and_cost_the_same(company: Stage) -> None:
    client = signed_in(company.admin)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for n in range(120):
        making.metric(f"m{n}")
    with CaptureQueriesContext(connection) as many:
        first = client.get(PAGE).content.decode()
    assert len(many) == len(few)
    second = client.get(PAGE + "?page=2").content.decode()
    assert "M119" in first
    assert "M119" not in second
    assert "M69" in second
    assert "?page=2" in first
    assert "?page=3" in second
    assert "?page=1" in second


def test_from_where_on_the_page_in_the_file_and_as_a_filter(company: Stage) -> None:
    with pghistory.context(user=company.admin.pk, url="/settings/people/", address="203.0.113.7"):
        User.objects.filter(pk=company.viewer.pk).update(role=Role.ANALYST)
    with pghistory.context(user=company.viewer.pk, origin="sso", url="/account/sso/", address="2001:db8::1"):
        User.objects.filter(pk=company.viewer.pk).update(role=Role.LEADER)
    by_sso, by_hand = audit.changes(Cut(kind="person"), CALENDAR, limit=2).changes
    assert (by_sso.origin, by_sso.address) == ("single sign-on", "2001:db8::1")
    assert (by_hand.origin, by_hand.address) == ("/settings/people/", "203.0.113.7")
    found = audit.changes(Cut(text="203.0.113.7"), CALENDAR).changes
    assert [change.address for change in found] == ["203.0.113.7"]
    assert not audit.changes(Cut(text="203.0.113"), CALENDAR).changes  # an address, not a part of one
    client = signed_in(company.admin)
    assert "203.0.113.7" in client.get(PAGE).content.decode()
    raw = client.get(FILE + "?kind=person").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(raw, newline="")))
    assert {"203.0.113.7", "2001:db8::1"} <= {row["address"] for row in rows}
    with_none = [row for row in rows if row["from where"] == "command line"]
    assert with_none
    assert {row["address"] for row in with_none} == {""}


@pytest.mark.parametrize(
    "query",
    ["kind=nonsense", "person=1%20or%201", "from=yesterday", "from=2026-02-02&to=2026-02-01", "page=0",
     "page=-1", "page=x", "text=%00"],
)  # fmt: skip
def test_nonsense_is_refused_in_words(company: Stage, query: str) -> None:
    assert signed_in(company.admin).get(f"{PAGE}?{query}").status_code == 400


def test_hostile_text_is_text(company: Stage) -> None:
    Metric.objects.filter(key="orders").update(name="<script>alert(1)</script>", segment="=1+1")
    text = signed_in(company.admin).get(PAGE).content.decode()
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "onclick" not in text
    raw = signed_in(company.admin).get(FILE).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(raw, newline="")))
    assert ("for whom", "'=1+1") in {(row["field"], row["after"]) for row in rows}


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+cmd", "@SUM(A1)", "\t=1", " =1", "＝1+1", "\u200b=1", "\x00=1", "|calc"]
)
def test_no_cell_begins_a_formula(text: str) -> None:
    cell = str(safe_cell(text))
    assert cell.startswith("'")
    assert "\x00" not in cell


def test_other_cells_stay_what_they_are() -> None:
    assert csv_text(("a", "b"), [(-1.5, "a, b"), (None, "x=1")]) == '\ufeffa,b\r\n-1.5,"a, b"\r\n,x=1\r\n'


def test_leave_rhythms_and_channels_are_told(company: Stage) -> None:
    elena, charlie = (Leader.objects.get(key=key) for key in ("elena", "charlie"))
    day = timezone.localdate()
    Leave.objects.create(leader=elena, from_date=day, until_date=day, delegate=charlie)
    told = newest("leave")
    assert told.name == "Elena"
    assert Difference("who stands in", "", "Charlie") in told.differences
    Cadence.objects.create(metric_key="orders", every="month")
    assert newest("rhythm of check-ins").name == "Orders"
    channel = Channel.objects.create(name="Board", kind="slack", host="hooks.example", secret="enc-7c1f")
    told = newest("channel")
    assert told.name == "Board"
    assert not any("enc-7c1f" in d.after for d in told.differences)
    channel.delete()
    assert newest("channel").what == "removed"


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ("2011-10-08T13:15:00+00:00", "8 Oct 2011 14:15"),  # British summer time
        ("2011-12-31", "31 Dec 2011"),
        ("2011-13-45", "2011-13-45"),
        ("2011-12-31 and later", "2011-12-31 and later"),
        ("0.0144320847586831", "0.0144320847586831"),
    ],
)
def test_times_are_told_in_words_and_all_else_as_it_is(kept: str, words: str) -> None:
    with timezone.override("Europe/London"):
        assert told(kept) == words


def test_columns_are_told_in_words(company: Stage) -> None:
    Deviation.objects.create(
        metric_key="orders", quarter=company.quarter, shortfall=5.0, reason="Well", until_date=company.today,
        accepted_by=company.executive, accepted_at=timezone.now(),
    )  # fmt: skip
    names = {d.name for d in newest("accepted deviation").differences}
    assert {"accepted by", "accepted", "metric", "may be behind plan by"} <= names
