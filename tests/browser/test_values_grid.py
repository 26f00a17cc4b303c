"""The grid of figures in a browser: a block pasted from the clipboard, seen as unsaved, undone, saved."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import Open


def test_a_block_from_a_spreadsheet_is_pasted_undone_and_saved(company: Any, open_as: Open) -> None:
    from metrics.models import Entry

    before = Entry.objects.count()
    visit = open_as(company.elena)
    page = visit.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=visit.base)
    visit.go("/metrics/plans/values/")
    rows = page.locator("table[data-grid] tbody tr")
    first = rows.nth(1).locator("input[inputmode=decimal]").first
    assert page.locator("[data-grid-undo]").is_visible()
    page.evaluate("navigator.clipboard.writeText('18\\t25\\tfrom the CRM\\n17\\t24\\t\\n')")
    empty = first.input_value()
    first.click()
    page.keyboard.press("Control+V")
    cells = rows.nth(2).locator("input[inputmode=decimal]")
    assert (first.input_value(), cells.nth(0).input_value(), cells.nth(1).input_value()) == ("18", "17", "24")
    assert page.locator("input.dirty").count() >= 4
    assert "not saved yet" in page.locator("[data-grid-status]").inner_text()
    page.keyboard.press("Control+Z")
    assert first.input_value() == empty and page.locator("input.dirty").count() == 0
    page.keyboard.press("Control+Y")
    assert first.input_value() == "18"
    page.get_by_role("button", name="Save figures").click()
    page.get_by_text("Saved.").first.wait_for()
    entry = Entry.objects.get(metric__key="plans", period_start=company.month)
    assert (entry.numerator, entry.denominator, entry.note, entry.origin) == (18, 25, "from the CRM", "page")
    assert Entry.objects.count() > before


def test_arrows_and_enter_walk_through_the_figures(company: Any, open_as: Open) -> None:
    page = open_as(company.elena).go("/metrics/plans/values/")
    at = "document.activeElement.name"
    first = page.locator("table[data-grid] tbody tr").nth(1).locator("input[inputmode=decimal]").first
    begun = first.input_value()
    first.focus()
    name = page.evaluate(at)
    page.keyboard.press("ArrowRight")
    beside = page.evaluate(at)
    assert (name.split("-", 1)[1], beside.split("-", 1)[1]) == (name[-10:], name[-10:])
    assert (name.split("-")[0], beside.split("-")[0]) == ("numerator", "denominator")
    page.keyboard.press("Enter")
    assert page.evaluate(at).startswith("denominator-") and page.evaluate(at) != beside
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(at) == name
    page.keyboard.type("99")
    assert page.locator("input.dirty").count() == 1
    page.keyboard.press("Escape")
    assert first.input_value() == begun and page.locator("input.dirty").count() == 0


def test_a_cell_that_somebody_changed_since_is_said_and_not_written_over(company: Any, open_as: Open) -> None:
    from metrics.models import Entry, Metric
    from metrics.services.entries import EntryRow, enter

    page = open_as(company.elena).go("/metrics/plans/values/")
    month = company.month
    page.locator(f"[name='numerator-{month}']").fill("18")
    page.locator(f"[name='denominator-{month}']").fill("25")
    plans = Metric.objects.get(key="plans")
    enter(plans, [EntryRow(month, numerator=17, denominator=25)], author=company.elena, origin="api")
    page.get_by_role("button", name="Save figures").click()
    page.get_by_text("changed meanwhile by Elena: it is 17 of 25 now").first.wait_for()
    assert page.locator(f"[name='numerator-{month}']").input_value() == "18"
    assert Entry.objects.get(metric=plans, period_start=month).numerator == 17
    page.get_by_role("button", name="Save figures").click()  # told, one may say it again
    page.get_by_text("Saved.").first.wait_for()
    assert Entry.objects.get(metric=plans, period_start=month).numerator == 18
