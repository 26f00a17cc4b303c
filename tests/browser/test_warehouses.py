"""From an empty installation to a computed figure, in a browser: connect, choose, propose, see, save."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import expect

from metrics.models import Metric, Value
from metrics.services import questions
from metrics.services.recompute import work
from owners.models import Role, User
from tests.browser.conftest import ARTIFACTS, Open
from tests.browser.test_looks import HEIGHTS, findings
from tests.metrics.files import make_warehouse

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    questions._questions.clear()


@pytest.fixture
def path(tmp_path: Path, settings: Any) -> Path:
    settings.WAREHOUSE_FILES_ON_PAGES = [str(tmp_path)]
    return make_warehouse(tmp_path)


@pytest.fixture
def admin(transactional_db: None) -> User:
    return User.objects.create_user("ada@example.com", name="Ada Admin", role=Role.ADMIN)


@pytest.mark.parametrize("script", [True, False])
def test_from_nothing_to_a_figure_that_equals_a_plain_count(
    admin: User, path: Path, open_as: Open, script: bool
) -> None:
    page = open_as(admin, script=script).go("/settings/warehouses/")
    page.get_by_role("link", name="Use files").click()
    page.get_by_role("textbox", name="Key").fill("shop")
    page.get_by_label("DuckDB file").fill(str(path))
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_text("It works.")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("shop is saved.")).to_be_visible()

    page.get_by_role("link", name="none yet").click()
    page.get_by_role("main").get_by_role("link", name="choose one").click()
    link = page.get_by_role("link", name=re.compile("^orders"))
    for _ in range(60):  # without script one looks again oneself
        if link.count() or script:
            break
        page.get_by_role("link", name="Look again").click()
    link.click()
    add = page.get_by_role("button", name="Add this source")
    for _ in range(60):
        if add.count() or script:
            break
        page.get_by_role("link", name="Look again").click()
    add.wait_for(timeout=30_000)
    expect(page.get_by_label("Time of a row")).to_have_value("ordered_at")
    expect(page.get_by_label("country", exact=True)).to_be_checked()
    add.click()

    page.get_by_label("Name", exact=True).wait_for(timeout=30_000)
    page.get_by_label("Name", exact=True).fill("Paid orders")
    page.get_by_label("Column of condition 1").first.select_option("quantity")
    page.get_by_label("Comparison of condition 1").first.select_option("gt")
    page.get_by_label("Value of condition 1").first.fill("0")
    page.get_by_role("button", name="Show figures").click()
    shown = page.locator(".trial tbody data")
    shown.first.wait_for(timeout=30_000)
    figures = [float(str(cell.get_attribute("value"))) for cell in shown.all()]
    with duckdb.connect(str(path), read_only=True) as db:
        month = "date_trunc('month', ordered_at)"
        counted = db.execute(
            f"SELECT count(*) FROM orders WHERE quantity > 0 GROUP BY {month} ORDER BY {month}"
        ).fetchall()
    plain = [float(n) for (n,) in counted]
    assert figures == plain[-8:]
    page.get_by_role("button", name="Save metric").click()
    expect(page.get_by_role("heading", name="Paid orders").first).to_be_visible(timeout=30_000)

    list(work("test"))
    of = Value.objects.filter(metric=Metric.objects.get(key="paid_orders"), grain="month", dimension="")
    assert [value for (value,) in of.order_by("period_start").values_list("value")] == plain


def test_a_page_that_waits_looks_again_by_itself(
    admin: User, path: Path, open_as: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every answer of the warehouse comes too late for the request that asks for it."""
    from metrics.services.apply import apply

    apply(
        f"warehouses:\n  shop: {{engine: duckdb, path: {path}}}\n"
        "sources:\n  orders: {warehouse: shop, table: orders, time: ordered_at}\n"
    )
    monkeypatch.setattr(questions, "WAIT", 0.0)
    visit = open_as(admin)
    page = visit.go("/settings/warehouses/")
    page.get_by_role("button", name="Test shop").click()
    page.get_by_text("Still asking.").wait_for()
    page.get_by_text("It works.").wait_for(timeout=30_000)
    page.goto(visit.base + "/settings/sources/new/?warehouse=shop")
    page.get_by_text("Still asking.").wait_for()
    page.get_by_role("link", name=re.compile("^orders")).click(timeout=30_000)
    page.get_by_text("Still asking.").wait_for()
    expect(page.get_by_label("Time of a row")).to_have_value("ordered_at", timeout=30_000)
    page.goto(visit.base + "/settings/sources/orders/metrics/new/")
    page.get_by_label("Name", exact=True).fill("Orders", timeout=30_000)
    page.get_by_role("button", name="Show figures").click()
    page.get_by_text("Still computing.").wait_for()
    page.locator(".trial tbody data").first.wait_for(timeout=30_000)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Orders")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_accessible_and_fits(
    admin: User, path: Path, open_as: Open, width: int, theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from metrics.services.apply import apply

    monkeypatch.setattr(questions, "WAIT", 30)
    ARTIFACTS.mkdir(exist_ok=True)
    visit = open_as(admin, width=width, height=HEIGHTS[width], theme=theme)
    wrong: list[str] = []

    def look(name: str) -> None:
        page.wait_for_load_state("networkidle")
        wrong.extend(f"{name}: {finding}" for finding in findings(page))
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            wrong.append(f"{name}: {wide} pixels wide on a screen of {width}")
        page.screenshot(path=ARTIFACTS / f"{name}-{width}-{theme}.png", full_page=True)

    page = visit.go("/settings/warehouses/")
    look("warehouses-empty")
    page = visit.go("/settings/sources/new/")
    look("source-no-warehouse")
    apply(
        f"warehouses:\n  shop: {{engine: duckdb, path: {path}}}\n"
        "  crm: {engine: postgres, host: 127.0.0.1, port: 1, database: crm, user: reader, password: secret}\n"
        "sources:\n  orders: {warehouse: shop, table: orders, time: ordered_at, entity: customer_id, "
        "dimensions: {country: country, size: \"case when quantity > 5 then 'big' else 'small' end\"}}\n"
    )
    page = visit.go("/settings/warehouses/")
    page.get_by_role("button", name="Test crm").click()
    page.get_by_text("It cannot be read.").wait_for()
    page.get_by_role("button", name="Test shop").click()
    page.get_by_text("It works.").wait_for()
    look("warehouses")
    page = visit.go("/settings/warehouses/new/")
    page.get_by_role("button", name="Test the connection").click()
    page.locator("#proof .error").wait_for()
    look("warehouse-new")
    page = visit.go("/settings/warehouses/crm/")
    look("warehouse")
    page = visit.go("/settings/sources/new/")
    look("source-warehouse")
    page = visit.go("/settings/sources/new/?warehouse=shop")
    look("source-table")
    page = visit.go("/settings/sources/new/?warehouse=shop&table=orders")
    look("source-new")
    page = visit.go("/settings/sources/orders/")
    look("source")
    page = visit.go("/settings/sources/")
    look("sources")
    page = visit.go("/settings/sources/new/?warehouse=crm")
    look("source-broken")
    page = visit.go("/settings/sources/orders/metrics/new/")
    page.get_by_label("Name", exact=True).fill("Orders of the United Kingdom")
    page.get_by_role("button", name="Show figures").click()
    page.locator(".trial").wait_for()
    look("source-metric")
    apply("metrics:\n  rows: {name: Rows, type: simple, measure: {source: orders, agg: count}}\n")
    page = visit.go("/metrics/new/ratio/")
    look("new-ratio")
    page = visit.go("/metrics/new/conversion/")
    look("new-conversion")
    page = visit.go("/metrics/new/formula/")
    page.get_by_label("Formula").fill("2 *")
    page.get_by_role("button", name="rows", exact=True).click()
    expect(page.get_by_label("Formula")).to_have_value("2 * rows")
    expect(page.get_by_label("Metric of name 2")).to_be_hidden()
    page.get_by_label("Metric of name 1").select_option("rows")
    expect(page.get_by_label("Metric of name 2")).to_be_visible()
    look("new-formula")
    assert not wrong, "\n".join(wrong)
