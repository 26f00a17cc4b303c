"""What people come for, done in a browser: sign in, read, enter a figure, set a target, by mouse and keys."""

import re

import pytest
from playwright.sync_api import expect

from metrics.models import Entry, Target
from tests.browser.conftest import Open
from tests.metrics.stage import PASSWORD, Stage, more_metrics

pytestmark = pytest.mark.django_db(transaction=True)


def test_sign_in_leads_to_the_board(company: Stage, open_as: Open) -> None:
    visit = open_as(None)
    page = visit.go("/")
    page.get_by_label("E-mail").fill(company.elena.email)
    page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Orders")).to_be_visible()
    expect(page.locator(".hero-chart .main-svg").first).to_be_visible()


def test_from_the_board_to_a_leader_and_a_metric(company: Stage, open_as: Open) -> None:
    visit = open_as(company.viewer)
    page = visit.go(f"/{company.state}")
    page.get_by_role("link", name="Leaders", exact=True).click()
    page.get_by_role("link", name="Elena").click()
    expect(page.get_by_role("heading", name="Elena", exact=True)).to_be_visible()
    assert f"quarter={company.quarter}" in page.url
    visit.charts_drawn()
    assert page.locator(".card .main-svg").count() > 0
    page.get_by_role("link", name="On-time share").first.click()
    expect(page.get_by_role("heading", name="On-time share", level=1)).to_be_visible()


def test_a_new_figure_changes_figure_and_chart(company: Stage, open_as: Open) -> None:
    visit = open_as(company.elena)
    page = visit.go(f"/metrics/plans/values/{company.state}")
    visit.charts_drawn()
    drawn = "() => document.querySelector('.drawn').data.filter(t => t.name === 'Actual').flatMap(t => t.y)"
    before = page.evaluate(drawn)
    assert 0.72 not in before
    page.get_by_label(re.compile("how many$")).and_(page.locator(f"[name='numerator-{company.month}']")).fill(
        "18"
    )
    page.locator(f"[name='denominator-{company.month}']").fill("25")
    page.get_by_role("button", name="Save figures").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.locator("#figure-now")).to_contain_text("72")
    visit.charts_drawn()
    assert 0.72 in page.evaluate(drawn)
    assert Entry.objects.get(metric__key="plans", period_start=company.month).numerator == 18


def test_a_wrong_figure_is_refused_at_its_cell(company: Stage, open_as: Open) -> None:
    page = open_as(company.elena).go(f"/metrics/plans/values/{company.state}")
    page.locator(f"[name='numerator-{company.month}']").fill("30")
    page.locator(f"[name='denominator-{company.month}']").fill("25")
    page.get_by_role("button", name="Save figures").click()
    expect(page.locator(f"#e-{company.month}")).to_have_text(
        "The first number must lie between 0 and the second."
    )
    expect(page.locator(f"[name='numerator-{company.month}']")).to_have_value("30")


def test_the_grid_of_targets_says_while_typing_whether_months_add_up(company: Stage, open_as: Open) -> None:
    page = open_as(company.executive).go(f"/targets/{company.quarter}/")
    line = page.locator("tr#orders")
    expect(line.locator("[data-sum]")).to_have_text("adds up")
    line.locator("[data-target]").fill("9,600")
    expect(line.locator("[data-sum]")).to_have_text("300 missing")
    page.get_by_role("button", name="Save targets").click()
    expect(line.locator(".error")).to_contain_text("300 less than the target")
    line.locator("[data-month]").last.fill("3400")
    expect(line.locator("[data-sum]")).to_have_text("adds up")
    page.get_by_role("button", name="Save targets").click()
    expect(page.get_by_text("are saved")).to_be_visible()
    assert Target.objects.get(metric__key="orders").value == 9_600


def test_everything_works_without_script(company: Stage, open_as: Open) -> None:
    page = open_as(company.elena, script=False).go(f"/{company.state}")
    expect(page.locator(".hero-chart svg.still")).to_be_visible()
    page.locator(".hero-chart summary").click()
    expect(page.locator(".hero-chart table")).to_be_visible()
    page.get_by_role("link", name="Success plans done").click()
    page.get_by_role("link", name="Enter figures").click()
    page.locator(f"[name='numerator-{company.month}']").fill("18")
    page.locator(f"[name='denominator-{company.month}']").fill("25")
    page.get_by_role("button", name="Save figures").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto(page.url.split("/metrics")[0] + "/find/")
    page.get_by_role("searchbox").fill("on-time")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="On-time share")).to_be_visible()


def test_the_keyboard_finds_moves_and_helps(company: Stage, open_as: Open) -> None:
    page = open_as(company.viewer).go(f"/{company.state}")
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.textContent")
    assert first != second
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.textContent") == first
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(page.locator(".hero-chart table")).to_be_visible()
    page.keyboard.press("t")
    expect(page.locator(".hero-chart table")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("succ")
    expect(page.locator("#find-results a")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Success plans done", level=1)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.get_by_role("heading", name="Leaders", level=1)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("b")
    expect(page.locator(".hero")).to_be_visible()


def test_the_choice_of_theme_is_remembered_and_charts_follow(company: Stage, open_as: Open) -> None:
    visit = open_as(company.viewer)
    page = visit.go(f"/{company.state}")
    visit.charts_drawn()
    ink = "() => document.querySelector('.drawn').layout.font.color"
    light = page.evaluate(ink)
    page.get_by_role("button", name="Theme").click()  # light
    page.get_by_role("button", name="Theme").click()  # dark
    assert page.evaluate(ink) != light
    assert page.evaluate("getComputedStyle(document.body).colorScheme || 'dark'")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    visit.charts_drawn()
    assert page.evaluate(ink) != light


def test_filters_act_at_once_and_stand_in_the_address(company: Stage, open_as: Open) -> None:
    page = open_as(company.viewer).go(f"/{company.state}")
    expect(page.get_by_role("link", name="Success plans done")).to_be_visible()
    page.get_by_label("Lens").select_option("efficiency")
    page.wait_for_url(re.compile("lens=efficiency"))
    expect(page.get_by_role("link", name="On-time share")).to_be_visible()
    expect(page.get_by_role("link", name="Success plans done")).to_have_count(0)


def test_north_star_and_eight_rows_fit_a_full_screen(company: Stage, open_as: Open) -> None:
    more_metrics(7)
    page = open_as(company.viewer, width=1920, height=1080).go(f"/{company.state}")
    eighth = page.locator(".row").nth(7).bounding_box()
    assert eighth is not None
    assert eighth["y"] + eighth["height"] <= 1080


def test_on_a_phone_a_row_is_two_lines(company: Stage, open_as: Open) -> None:
    page = open_as(company.viewer, width=390, height=844).go(f"/{company.state}")
    rows = page.locator(".row").all()
    assert len(rows) > 2
    for row in rows:
        box = row.bounding_box()
        assert box is not None
        assert box["height"] < 70
