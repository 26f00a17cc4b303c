"""Names and words that try to be more than text: they are shown, and nothing of them runs."""

import pytest
from django.utils import timezone

from metrics.models import Disposition, Value
from owners.models import Leader, Summary
from tests.browser.conftest import Open
from tests.metrics.stage import stage

pytestmark = pytest.mark.django_db(transaction=True)

CORPUS = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    '"><svg onload=alert(4)>',
    "' autofocus onfocus=alert(5) x='",
    '<a href="javascript:alert(6)">click</a><b>bold</b><br>%{x} ${alert(7)} {{7*7}}',
    "\u202eevil\u202c \u2066left\u2069",
    "W" * 190,
)
HOSTILE = " ".join(CORPUS[:6])[:195]


@pytest.mark.parametrize("words", [HOSTILE, *CORPUS[6:]], ids=["markup", "bidi", "long"])
def test_nothing_of_a_name_runs(transactional_db: None, open_as: Open, words: str) -> None:
    company = stage(timezone.localdate(), orders=words, words=words)
    Leader.objects.filter(key="elena").update(name=words, title=words)
    Summary.objects.create(leader=company.elena.leader, quarter=company.quarter, text=words, needs=words)
    odd = Value.objects.get(metric__key="orders", grain="week", value=2_000.0).period_start
    Disposition.objects.create(
        metric_id=Value.objects.filter(metric__key="orders")[0].metric_id,
        grain="week", period_start=odd, text=words, leader_name=words,
    )  # fmt: skip
    for width in (1280, 390):
        visit = open_as(company.executive, width=width)
        for path in (
            f"/{company.state}", f"/leaders/{company.state}", f"/leaders/elena/{company.state}", "/metrics/",
            f"/metrics/orders/{company.state}&grain=week", f"/targets/{company.quarter}/",
            "/metrics/orders/owner/", "/find/?q=a",
        ):  # fmt: skip
            page = visit.go(path)
            visit.charts_drawn()
            for chart in page.locator(".drawn .nsewdrag").all():
                chart.scroll_into_view_if_needed()
                chart.hover(force=True)  # hovers hold names too
            for details in page.locator("details:not(.menu)").all():
                details.evaluate("e => { e.open = true }")
            assert page.locator("main script:not([type='application/json'])").count() == 0
            assert page.locator("main a[href^='javascript']").count() == 0
            assert page.locator("main [onerror], main [onload], main [onfocus]").count() == 0
            assert page.locator(".drawn a").count() == 0
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} pixels wide"
