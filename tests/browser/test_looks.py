"""Every page in light and dark, on a phone, a laptop and a meeting room's screen: nothing that axe finds,
nothing wider than the screen, and a picture of each in artifacts/."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from metrics.models import Benchmark, Installation
from metrics.services import sheet_imports
from metrics.sheets.tables import read_table
from metrics.views import targets as views
from tests.browser.conftest import ARTIFACTS, Open
from tests.metrics.stage import CALENDAR, Stage

pytestmark = pytest.mark.django_db(transaction=True)

HEIGHTS = {390: 844, 1280: 800, 1920: 1080}
PAGES = {
    "board": "/{state}",
    "leaders": "/leaders/{state}",
    "leader": "/leaders/elena/{state}",
    "summary": "/leaders/elena/summary/{state}",
    "metrics": "/metrics/{state}",
    "metric": "/metrics/orders/{state}&grain=week",
    "values": "/metrics/plans/values/{state}",
    "targets": "/targets/{quarter}/",
    "target": "/targets/{quarter}/orders/",
    "me": "/me/",
    "settings": "/settings/",
    "sources": "/settings/sources/",
    "updates": "/settings/updates/",
    "find": "/find/?q=or",
}


def findings(page: object) -> list[str]:
    """What axe has against a page: rule and place."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node['failureSummary']}" for v in violations for node in v["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", HEIGHTS)
def test_pages_are_accessible_and_fit(company: Stage, open_as: Open, width: int, theme: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    visit = open_as(company.elena, width=width, height=HEIGHTS[width], theme=theme)
    wrong: list[str] = []
    for name, path in PAGES.items():
        page = visit.go(path.format(state=company.state, quarter=company.quarter))
        visit.charts_drawn()
        wrong += [f"{name}: {finding}" for finding in findings(page)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            wrong.append(f"{name}: {wide} pixels wide on a screen of {width}")
        page.screenshot(path=ARTIFACTS / f"{name}-{width}-{theme}.png", full_page=True)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_executives_see_is_accessible(company: Stage, open_as: Open, theme: str) -> None:
    visit = open_as(company.executive, width=1280, theme=theme)
    wrong: list[str] = []
    for path in (
        f"/targets/{company.quarter}/",
        "/metrics/orders/owner/",
        "/settings/audit/",
        "/metrics/nps/",
    ):
        page = visit.go(path)
        wrong += [f"{path}: {finding}" for finding in findings(page)]
    page.keyboard.press("?")
    wrong += [f"help: {finding}" for finding in findings(page)]
    assert not wrong, "\n".join(wrong)


def test_a_wall_is_read_from_afar(company: Stage, open_as: Open) -> None:
    """On a 4K screen the type is at least half as large again as at 1080p, and nothing is pushed out."""
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    desk = open_as(company.elena, width=1920, height=1080).go("/me/").evaluate(size)
    visit = open_as(company.elena, width=3840, height=2160)
    for path in (f"/{company.state}", "/me/", f"/targets/{company.quarter}/", "/leaders/"):
        page = visit.go(path)
        assert page.evaluate(size) >= 1.5 * desk
        assert page.evaluate("document.documentElement.scrollWidth") == 3840, path


@pytest.mark.parametrize("script", [True, False])
def test_settings_are_one_row_of_tabs_on_a_phone(company: Stage, open_as: Open, script: bool) -> None:
    """A long row is pushed sideways; the tab that one is in is seen, and any other once it has the focus."""
    page = open_as(company.admin, width=390, height=844, script=script).go("/settings/audit/")
    tabs = page.locator(".settings-nav a")
    places = [tab.bounding_box() for tab in tabs.all()]
    assert tabs.count() >= 8 and len({round(place["y"]) for place in places if place}) == 1
    here = page.locator(".settings-nav [aria-current]").bounding_box()
    assert here is not None
    assert here["x"] >= 0 and here["x"] + here["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    tabs.first.focus()
    for tab in tabs.all():
        expect(tab).to_be_focused()
        expect(tab).to_be_in_viewport(ratio=1 if script else 0.5)
        page.keyboard.press("Tab")


@pytest.mark.parametrize("width", [390, 860, 1280])
def test_the_months_of_a_target_are_not_cut_off(company: Stage, open_as: Open, width: int) -> None:
    Benchmark.objects.filter(target__metric__key="orders").update(value=9_187.0)
    page = open_as(company.executive, width=width, height=844).go(f"/targets/{company.quarter}/orders/")
    expect(page.locator(".goal-months .behind")).to_have_text("6\u202f000 behind")
    region = page.get_by_role("region", name="Months")
    assert region.evaluate("e => e.scrollWidth - e.clientWidth") <= 0


SHEET = (
    "Metric\tJan 2026\tFeb 2026\tMar 2026\nSuccess plans done\t18 of 25\tn/a\tabc\n"
    "Visits of a page with quite a long name\t1.234,5\t1.180\t\n"
)


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1280, "light"), (1920, "dark")])
def test_planning_and_importing_are_accessible_and_fit(
    company: Stage, open_as: Open, monkeypatch: pytest.MonkeyPatch, width: int, theme: str
) -> None:
    """Pages on which figures and targets come in, as those see them who bring them, in a demo's frame."""
    ARTIFACTS.mkdir(exist_ok=True)
    Installation.objects.update(demo=True)
    monkeypatch.setattr(views, "may_plan", lambda *_: True)  # as in the last two weeks of a quarter
    following = CALENDAR.quarter_name(CALENDAR.next(CALENDAR.quarter(company.quarter)).start)
    draft = sheet_imports.draft(company.elena, read_table(SHEET), "KPIs 2026, final (3).xlsx")
    taken = sheet_imports.draft(company.elena, read_table("Month\tSuccess plans done\nJan 2026\t18 of 25"))
    sheet_imports.take_over(company.elena, taken, whole=True)
    pages = {
        company.elena: {
            "import": "/import/",
            "import-draft": f"/import/{draft.pk}/",
            "import-taken": f"/import/{taken.pk}/",
            "calibration": "/calibration/",
        },
        company.executive: {
            "import-nothing": "/import/",
            "targets-written": f"/targets/{company.quarter}/",
            "targets-rolled": f"/targets/{following}/",
            "targets-members": f"/targets/{company.quarter}/orders/?by=city",
            "cadence": "/metrics/plans/cadence/",
            "start-demo": "/start/",
        },
        company.admin: {
            "automate": "/metrics/plans/automate/?with=on_time",
            "settings-demo": "/settings/",
        },
    }
    wrong: list[str] = []
    for person, places in pages.items():
        visit = open_as(person, width=width, height=HEIGHTS[width], theme=theme)
        for name, path in places.items():
            page = visit.go(path)
            wrong += [f"{name}: {finding}" for finding in findings(page)]
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                wrong.append(f"{name}: {wide} pixels wide on a screen of {width}")
            page.screenshot(path=ARTIFACTS / f"{name}-{width}-{theme}.png", full_page=True)
    assert not wrong, "\n".join(wrong)
