"""Charts as they are drawn: labels beside them, at any width, and why a figure is in doubt."""

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from calc.numbers import short
from metrics.models import Metric
from metrics.services import disputes
from tests.browser.conftest import Open
from tests.metrics.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)

BOXES = """chart => {
  const frame = chart.getBoundingClientRect();
  const area = chart.querySelector(".nsewdrag").getBoundingClientRect();
  return [...chart.querySelectorAll(".annotation-text")].map(note => {
    const box = note.getBoundingClientRect();
    return {
      text: note.textContent, top: box.top, bottom: box.bottom,
      beside: box.left >= area.right, inside: box.right <= frame.right && box.left >= frame.left,
    };
  }).filter(note => !/by week|running total/.test(note.text));
}"""


def beside(page: Page, place: str) -> list[str]:
    """The labels of a chart from the top down, none of them over another, the chart or the page's edge."""
    notes = sorted(page.locator(f"{place} .chart").evaluate(BOXES), key=lambda note: note["top"])
    assert notes
    assert all(note["beside"] and note["inside"] for note in notes), notes
    assert all(b["top"] >= a["bottom"] - 3 for a, b in pairwise(notes)), notes  # a line's own room aside
    return [note["text"] for note in notes]


def test_labels_stand_beside_the_chart_and_a_turned_phone_has_room_for_words(
    company: Stage, open_as: Open
) -> None:
    visit = open_as(company.viewer, width=390, height=844)
    page = visit.go(f"/metrics/orders/{company.state}&grain=week")
    visit.charts_drawn()
    figures = beside(page, "#history")
    assert beside(page, ".metric-top") == [short(9_300)]
    expect(page.locator(".metric-top .legend").get_by_text("target", exact=True)).to_be_visible()
    page.set_viewport_size({"width": 844, "height": 390})
    expect(page.locator("#history .annotation-text", has_text="upper")).to_have_count(1)
    words = ("upper", "centre", "lower")
    assert beside(page, "#history") == [f"{w} {f}" for w, f in zip(words, figures, strict=True)]
    assert beside(page, ".metric-top") == [f"target {short(9_300)}"]
    expect(page.locator(".metric-top .legend").get_by_text("target", exact=True)).to_be_hidden()


def test_why_a_figure_is_in_doubt_is_told_where_it_is_drawn(company: Stage, open_as: Open) -> None:
    orders = Metric.objects.get(key="orders")
    disputes.dispute(company.analyst, orders, "month", company.month, "Leeds counts twice.")
    visit = open_as(company.viewer)
    page = visit.go(f"/metrics/orders/{company.state}&grain=month")
    visit.charts_drawn()
    expect(page.locator("#history .textpoint", has_text="?")).to_have_count(1)
    expect(page.locator("#history .legend").get_by_text("in doubt")).to_be_visible()
    page.locator("#history .textpoint").hover(force=True)
    expect(page.locator("#history .hoverlayer")).to_contain_text("Leeds counts")
    page.locator("#history summary").click()
    expect(page.locator("#history td", has_text="Leeds counts twice")).to_be_visible()
