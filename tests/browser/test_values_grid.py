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
