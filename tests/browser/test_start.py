"""The first hour in a real browser: from an empty installation to a filled board, phone and desk."""

import re
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from calc.calendar import Calendar, Grain, add_months
from metrics.models import Entry, Installation, Metric, Target, Value, Warehouse
from metrics.queries import start as queries
from metrics.services import sheet_imports, starting
from metrics.services.entries import EntryRow, enter
from metrics.services.manual_metrics import Counted, add_own
from metrics.sheets.tables import read_table
from owners.models import Leader, Ownership, Role, User
from owners.services.links import first_admin_url
from tests.browser.conftest import ARTIFACTS, Open, follow
from tests.browser.test_looks import HEIGHTS, findings

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "a-long-enough-passphrase"
# As a spreadsheet of six months shows it: a comma for thousands, a blank for what nobody knows.
ORDERS = ["1,180", "1,240", "1,310", "", "1,405", "1,452"]
LEADERS = [("Maya Chen", "Visits"), ("Elena Ruiz", "Average basket"), ("Tom Okafor", "Refunds")]


class Hand:
    """Counts what a person does: clicks, and fields typed into."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.fields = page, 0, 0
        self.begun = time.monotonic()

    def click(self, place: Locator) -> None:
        place.click()
        self.clicks += 1

    def fill(self, label: str | re.Pattern[str], text: str, nth: int = 0) -> None:
        self.page.get_by_label(label).nth(nth).fill(text)
        self.fields += 1

    def go_on(self, name: str = "Save and go on") -> None:
        before = self.page.url
        self.click(self.page.get_by_role("button", name=name))
        self.page.wait_for_url(lambda url: url != before)

    @property
    def seconds(self) -> float:
        """What it would take a person who needs twelve seconds for a field and two for a click."""
        return 12 * self.fields + 2 * self.clicks


def months_back(today: date, count: int) -> list[date]:
    first = today.replace(day=1)
    return [add_months(first, n - count) for n in range(count)]


@pytest.mark.parametrize("width", [390, 1280])
def test_from_empty_to_a_filled_board(open_as: Open, settings: Any, tmp_path: Path, width: int) -> None:
    """An empty installation, its first admin's link, six screens, a board: no YAML, no warehouse, no mail."""
    settings.MAIL_SERVER = False
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"  # as without a mail server
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    visit = open_as(None, width=width, height=HEIGHTS[width])
    link = first_admin_url(visit.base)
    assert link is not None
    page = visit.go(link.removeprefix(visit.base))
    hand = Hand(page)
    hand.fill("Name", "Ada Kestrel")
    hand.fill("E-mail", "ada@example.com")
    hand.fill(re.compile("^Password"), PASSWORD)
    hand.go_on("Begin")
    expect(page.get_by_text("Step 1 of 6")).to_be_visible()

    hand.fill("Company", "Kestrel Kitchens")
    hand.go_on()
    expect(page.get_by_text("Step 2 of 6")).to_be_visible()

    hand.fill("Its name", "Orders")
    hand.fill("For whom?", "Returning retail customers")
    hand.fill("What it counts, in one sentence", "Paid, not cancelled invoices.")
    hand.go_on()
    expect(page.get_by_text("Step 3 of 6")).to_be_visible()

    today = timezone.localdate()
    months = months_back(today, 6)
    cells = "\n".join(["\t".join(["", *(f"{m:%b %Y}" for m in months)]), "\t".join(["Orders", *ORDERS])])
    hand.fill("Cells", cells)
    hand.go_on("Look at the figures")
    table = page.get_by_role("table")
    for month, written in zip(months, ORDERS, strict=True):
        row = table.get_by_role("row", name=re.compile(f"{month:%b %Y}"))
        wanted = written.replace(",", "\u202f") if written else "unknown"
        expect(row).to_contain_text(wanted)
    hand.go_on("Take over 5 figures")
    expect(page.get_by_text("Step 4 of 6")).to_be_visible()

    hand.fill("Target", "4500")
    monthly = [float(box.input_value().replace(",", "")) for box in page.locator("[data-month]").all()]
    assert sum(monthly) == 4500
    expect(page.locator("[data-sum]")).to_have_text("adds up")
    quarter = page.locator("input[name=quarter]").input_value()
    hand.go_on()
    expect(page.get_by_text("Step 5 of 6")).to_be_visible()

    for nth, (leader, indicator) in enumerate(LEADERS):
        hand.fill("Indicator", indicator, nth)
        hand.fill("Leader", leader, nth + 1)  # the first is the North Star's
    hand.go_on()
    expect(page.get_by_text("Step 6 of 6")).to_be_visible()

    expect(page.get_by_text("No mail server is set up")).to_be_visible()
    first = page.get_by_role("group", name="Maya Chen")
    hand.click(first.get_by_label("Invite"))
    first.get_by_label("E-mail").fill("maya@example.com")
    hand.fields += 1
    hand.click(page.get_by_role("button", name="Invite", exact=True))
    shown = page.get_by_label(re.compile("Maya Chen, maya@example.com"))
    expect(shown).to_have_value(re.compile(r"/account/join/\S{40,}/$"))
    address = shown.input_value()
    hand.go_on("To the board")

    # The board, against figures worked out by hand from what was pasted.
    expect(page.get_by_role("heading", level=2, name="Orders")).to_be_visible()
    expect(page.locator(".hero .big")).to_have_text("1\u202f452")
    for _, indicator in LEADERS:
        expect(page.get_by_role("link", name=indicator)).to_be_visible()
    assert hand.seconds < 600, (hand.fields, hand.clicks)
    assert time.monotonic() - hand.begun < 120

    star = Metric.objects.get(role="north_star")
    stored = dict(Entry.objects.filter(metric=star).values_list("period_start", "value"))
    pasted = {m: float(w.replace(",", "")) for m, w in zip(months, ORDERS, strict=True) if w}
    assert stored == pasted
    assert months[3] not in stored  # the blank is unknown, never 0
    calendar = Calendar()
    for name in {calendar.quarter_name(m) for m in months}:
        period = calendar.quarter(name)
        inside = [m for m in (add_months(period.start, n) for n in range(3)) if m < today.replace(day=1)]
        value = Value.objects.filter(metric=star, grain=Grain.QUARTER, period_start=period.start).first()
        if period.start >= months[0] and value is not None:
            known = [pasted.get(m) for m in inside]
            assert value.value == (None if None in known else sum(w for w in known if w))
    target = Target.objects.get(metric=star, quarter=quarter)
    assert target.value == 4500
    assert sum(target.benchmarks.values_list("value", flat=True)) == 4500
    owners = {o.metric_key: o.leader.name for o in Ownership.objects.select_related("leader")}
    assert {owners[Metric.objects.get(name=i).key] for _, i in LEADERS} == {name for name, _ in LEADERS}
    assert owners[star.key] == "Ada Kestrel"
    assert not Warehouse.objects.exists()
    assert not (tmp_path / "mail").exists()
    assert Installation.objects.get().name == "Kestrel Kitchens"

    # Maya comes in by the link, answers for her indicator, and may enter it.
    guest = open_as(None, width=width, height=HEIGHTS[width])
    page = guest.go(address.removeprefix(guest.base))
    page.get_by_label(re.compile("^Password")).fill(PASSWORD)
    follow(page.get_by_role("button", name="Sign in"))
    assert Leader.objects.get(name="Maya Chen").user == User.objects.get(email="maya@example.com")
    guest.go(f"/metrics/{Metric.objects.get(name='Visits').key}/values/")


def test_months_are_proposed_as_the_server_does(transactional_db: None, open_as: Open) -> None:
    """While a target is typed the script proposes what the server would."""
    ada = User.objects.create_user("ada@example.com", PASSWORD, name="Ada Kestrel", role=Role.EXECUTIVE)
    started = timezone.localdate().replace(day=1)
    typed = {"Revenue": ("currency:GBP", "10000.10"), "Parcels": ("count", "1001")}
    levels = {"Score": ("score", "45"), "On time": ("percent", "75")}
    for name, (unit, _) in (typed | levels).items():
        kind = "level" if name in levels else "amount"
        made = add_own(Counted(name=name, unit=unit, kind=kind), ada)
        if kind == "level":
            value = 0.7 if unit == "percent" else 40.0
            rows = [EntryRow(add_months(started, -n), value) for n in range(1, 5)]
            enter(made, rows, author=ada, origin="page")
    page = open_as(ada).go("/start/targets/")
    quarter = page.locator("input[name=quarter]").input_value()
    today = timezone.localdate()
    aims = {a.metric.name: a for a in queries.aims(ada, quarter, Calendar(), today)}
    for name, (unit, target) in (typed | levels).items():
        line = page.get_by_role("group", name=name)
        line.get_by_label(re.compile("^Target")).fill(target)
        shown = [box.input_value() for box in line.locator("[data-month]").all()]
        factor = 100 if unit == "percent" else 1
        proposed = aims[name].proposal(float(target) / factor).values()
        assert [text.replace(",", "") for text in shown] == [f"{v * factor:.12g}" for v in proposed], name
        assert name != "Revenue" or all("," in text for text in shown)


MESSY = "\n".join(
    [
        "Metric\tOwner\tJan 2026\tFeb 2026\tMar 2026\tTotal",
        "Orders\tMaya\t1,180\t1,240\tn/a\t2,420",
        "On time\tElena\t72 %\t75 %\tabc\t",
        "Average basket\tTom\t£41.20\t£42.10\t\t",
    ]
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_screen_is_accessible_and_fits(
    transactional_db: None, open_as: Open, width: int, theme: str
) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    ada = User.objects.create_user("ada@example.com", PASSWORD, name="Ada Kestrel", role=Role.EXECUTIVE)
    star = Counted(name="Orders", role="north_star", definition="Paid invoices.", grain="month")
    metric = starting.set_north_star(ada, star)
    started = timezone.localdate().replace(day=1)
    enter(
        metric,
        [EntryRow(add_months(started, -n), 1000.0 + n) for n in range(1, 16)],
        author=ada,
        origin="page",
    )
    made = sheet_imports.draft(ada, read_table(MESSY), "KPIs 2026.xlsx")
    done = sheet_imports.draft(ada, read_table("Month\tVisits\nJan 2026\t5\nFeb 2026\t6"), "")
    sheet_imports.take_over(ada, done)
    Leader.objects.create(key="maya", name="Maya Chen", email="maya@example.com")
    visit = open_as(ada, width=width, height=HEIGHTS[width], theme=theme)
    wrong: list[str] = []
    page = visit.page

    def look(name: str) -> None:
        wrong.extend(f"{name}: {finding}" for finding in findings(page))
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            wrong.append(f"{name}: {wide} pixels wide on a screen of {width}")
        page.screenshot(path=ARTIFACTS / f"start-{name}-{width}-{theme}.png", full_page=True)

    for name in ("company", "north-star", "figures", "targets", "leaders", "invitations"):
        visit.go(f"/start/{name}/")
        look(name)
    visit.go("/start/?overview")
    look("overview")
    visit.go(f"/start/figures/{made.pk}/")
    look("sheet")
    visit.go("/start/figures/")
    page.get_by_label("Cells").fill("hello")
    follow(page.get_by_role("button", name="Look at the figures"))
    look("sheet-refused")
    visit.go("/start/invitations/")
    page.get_by_role("group", name="Maya Chen").get_by_label("Invite").check()
    follow(page.get_by_role("button", name="Invite", exact=True))
    look("links")
    visit.go("/metrics/new/")
    look("new-metric")
    visit.go(f"/metrics/{metric.key}/edit/")
    look("edit-metric")
    visit.go(f"/metrics/{metric.key}/")
    look("metric")
    Metric.objects.update(archived_at=timezone.now())
    visit.go("/")
    look("empty-board")
    assert not wrong, "\n".join(wrong)
