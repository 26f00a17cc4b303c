"""The grid of targets as a spreadsheet: paste, keys, undo, what is not saved yet."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from metrics.models import Benchmark, Target
from tests.browser.conftest import Open
from tests.metrics.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)

PASTE = """(cell, text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  cell.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def cells(page: Page, key: str) -> Locator:
    return page.locator(f"tr#{key} input:not([type=hidden])")


def texts(page: Page, key: str) -> list[str]:
    return [cell.input_value() for cell in cells(page, key).all()]


def test_a_block_of_a_spreadsheet_is_pasted_undone_and_saved(company: Stage, open_as: Open) -> None:
    page = open_as(company.executive).go(f"/targets/{company.quarter}/")
    before = texts(page, "orders"), texts(page, "on_time")
    first = cells(page, "on_time").first
    first.focus()
    first.evaluate(PASTE, "96 %\t93\t94\t96\r\n9,600\t3,000\t3,200\t3,400\r\n")
    assert texts(page, "orders") == ["9,600", "3,000", "3,200", "3,400"]
    assert texts(page, "on_time") == ["96 %", "93", "94", "96"]
    expect(page.locator("tr#orders [data-sum]")).to_have_text("adds up")
    expect(page.locator("[data-grid-status]")).to_have_text(
        re.compile("8 cells pasted. 6 cells changed, not saved")
    )
    expect(page.locator("tr#orders")).to_have_class(re.compile("changed"))
    page.keyboard.press("Control+z")
    assert (texts(page, "orders"), texts(page, "on_time")) == before
    expect(page.locator("input.dirty")).to_have_count(0)
    page.keyboard.press("Control+y")
    assert texts(page, "on_time")[0] == "96 %"
    page.get_by_role("button", name="Save targets").click()
    expect(page.get_by_text("are saved")).to_be_visible()
    assert Target.objects.get(metric__key="orders").value == 9_600
    assert Target.objects.get(metric__key="on_time").value == 0.96
    assert list(Benchmark.objects.filter(target__metric__key="orders").values_list("value", flat=True)) == [
        3_000, 3_200, 3_400
    ]  # fmt: skip


def test_figures_with_a_decimal_comma_are_pasted_as_the_page_writes_them(
    company: Stage, open_as: Open
) -> None:
    """One cell of the block proves the comma, so that 3.200 beside it is not 3.2."""
    page = open_as(company.executive).go(f"/targets/{company.quarter}/")
    first = cells(page, "orders").first
    first.focus()
    first.evaluate(PASTE, "9.600,5\t3.000\t3.200\t3.400,5")
    assert texts(page, "orders") == ["9600.5", "3000", "3200", "3400.5"]
    first.evaluate(PASTE, "9,600\tn/a\t3,200\t–")
    assert texts(page, "orders") == ["9,600", "", "3,200", ""]
    first.fill("1.234,5")
    expect(page.locator("tr#orders [data-sum]")).to_have_text("not a number")
    page.get_by_role("button", name="Save targets").click()
    expect(page.get_by_text("Write decimals with a point.")).to_be_visible()
    expect(cells(page, "orders").first).to_be_focused()  # wherever in the grid it stands
    page.get_by_role("button", name="As stored").click()


def test_a_number_written_in_another_form_is_no_change(company: Stage, open_as: Open) -> None:
    page = open_as(company.executive).go(f"/targets/{company.quarter}/")
    assert texts(page, "orders") == ["9,300", "3,100", "3,100", "3,100"]
    expect(page.locator("tr#orders [data-sum]")).to_have_text("adds up")
    target = cells(page, "orders").first
    target.fill("9300")
    expect(page.locator("input.dirty")).to_have_count(0)
    expect(page.locator("tr#orders [data-sum]")).to_have_text("adds up")
    target.fill("9301")
    expect(page.locator("input.dirty")).to_have_count(1)
    expect(page.locator("tr#orders [data-sum]")).to_have_text("1 missing")
    target.fill("9 300")
    page.get_by_role("button", name="Save targets").click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()


def test_what_does_not_fit_is_said_and_one_word_is_pasted_as_ever(company: Stage, open_as: Open) -> None:
    page = open_as(company.executive).go(f"/targets/{company.quarter}/")
    last = cells(page, "orders").last
    last.focus()
    last.evaluate(PASTE, "3,300\t1\t2")
    expect(page.locator("[data-grid-status]")).to_contain_text("2 pasted cells did not fit")
    assert last.input_value() == "3,300"
    page.get_by_role("button", name="As stored").click()
    assert last.input_value() == "3,100"
    expect(page.locator("[data-grid-status]")).to_have_text("As it is stored.")


def test_arrows_and_enter_walk_through_the_grid(company: Stage, open_as: Open) -> None:
    page = open_as(company.executive).go(f"/targets/{company.quarter}/")
    at = "document.activeElement.name"
    cells(page, "on_time").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(at) == "target-orders"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(at).startswith("month-orders-")
    page.keyboard.press("Enter")
    assert page.evaluate(at).startswith("month-plans-")
    for _ in range(4):  # at the top it stays
        page.keyboard.press("ArrowUp")
    assert page.evaluate(at).startswith("month-nps-")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(at).startswith("month-orders-")
    page.keyboard.type("31")
    page.keyboard.press("ArrowLeft")  # inside of what is typed the arrow moves in the text
    assert page.evaluate(at).startswith("month-orders-")
    page.keyboard.press("Escape")
    assert texts(page, "orders")[1] == "3,100"
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Undo").click()
    assert texts(page, "orders")[1] == "3,100"
    assert Target.objects.get(metric__key="orders").value == 9_300


def test_a_split_by_script_is_one_step_that_can_be_undone(company: Stage, open_as: Open) -> None:
    page = open_as(company.executive).go(f"/targets/{company.quarter}/")
    cells(page, "orders").first.fill("9,000")
    page.get_by_role("button", name="Split Orders evenly").click()
    expect(cells(page, "orders").last).to_have_value("3,000")
    assert texts(page, "orders") == ["9,000", "3,000", "3,000", "3,000"]
    expect(page.locator("tr#orders [data-sum]")).to_have_text("adds up")
    expect(page.locator("[data-grid-status]")).to_have_text("4 cells changed, not saved yet.")
    page.get_by_role("button", name="Undo").click()
    assert texts(page, "orders") == ["9,000", "3,100", "3,100", "3,100"]
    page.get_by_role("button", name="Split Orders by last year’s season").click()
    expect(page.locator("[data-grid-note]")).to_contain_text("months are not all known")
    assert Target.objects.get(metric__key="orders").value == 9_300
    page.get_by_role("button", name="As stored").click()


def test_split_and_paste_work_without_script(company: Stage, open_as: Open) -> None:
    page = open_as(company.executive, script=False).go(f"/targets/{company.quarter}/")
    page.locator("summary", has_text="Paste a block").click()
    page.get_by_label("Name, target and months, one line each").fill("Orders\t9,600\t3,000\t3,200\t3,400")
    page.get_by_role("button", name="Put it into the grid").click()
    assert texts(page, "orders") == ["9,600", "3,000", "3,200", "3,400"]
    page.get_by_role("button", name="Split Orders evenly").click()
    assert texts(page, "orders") == ["9,600", "3,200", "3,200", "3,200"]
    assert Target.objects.get(metric__key="orders").value == 9_300
    page.get_by_role("button", name="Save targets").click()
    expect(page.get_by_text("are saved")).to_be_visible()
    assert Target.objects.get(metric__key="orders").value == 9_600


def test_answer_decide_and_accept(company: Stage, open_as: Open) -> None:
    path = f"/targets/{company.quarter}/on_time/"
    leader = open_as(company.elena, width=390, height=844).go(path)
    leader.get_by_text("Answer with a figure").click()
    leader.get_by_label("The target you would agree to").fill("93 %")
    leader.get_by_label("Why, in a sentence").fill("The depot opens late.")
    leader.get_by_role("button", name="Send the answer").click()
    expect(leader.get_by_text("Your answer waits for a decision.")).to_be_visible()

    chief = open_as(company.executive).go(path)
    expect(chief.get_by_text("The depot opens late.")).to_be_visible()
    chief.get_by_role("button", name="Keep 95").click()
    expect(chief.get_by_role("alert")).to_contain_text("Say in a sentence why the proposal stays.")
    chief.get_by_label("Your sentence").fill("Fair.")
    chief.get_by_role("button", name="Take 93").click()
    expect(chief.get_by_text("Decided: On-time share")).to_be_visible()
    assert Target.objects.get(metric__key="on_time").agreed_value == 0.93

    leader.goto(leader.url.split("/targets")[0] + f"/targets/{company.quarter}/plans/")
    leader.get_by_role("button", name="Accept the target of Success plans done").click()
    expect(leader.get_by_text("Agreed: Success plans done")).to_be_visible()
    assert Target.objects.get(metric__key="plans").state == "agreed"


@pytest.mark.parametrize("script", [True, False])
def test_on_a_phone_a_line_is_folded_until_it_is_opened(company: Stage, open_as: Open, script: bool) -> None:
    page = open_as(company.executive, width=390, height=844, script=script).go(f"/targets/{company.quarter}/")
    fold = page.locator("tr#orders details.fold")
    expect(fold).to_contain_text("9\u202f300")
    expect(fold).to_contain_text("proposed")
    expect(fold).to_contain_text("months add up")
    expect(cells(page, "orders").first).to_be_hidden()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(cells(page, "orders").first).to_be_visible()
    expect(cells(page, "on_time").first).to_be_hidden()
    for cell, figure in zip(cells(page, "orders").all(), ("9,600", "3,000", "3,200", "3,400"), strict=True):
        cell.fill(figure)
    page.get_by_role("button", name="Save targets").click()
    expect(page.get_by_text("are saved")).to_be_visible()
    assert Target.objects.get(metric__key="orders").value == 9_600


def test_a_link_to_a_line_opens_it_on_a_phone(company: Stage, open_as: Open) -> None:
    page = open_as(company.executive, width=390, height=844).go(f"/targets/{company.quarter}/#orders")
    expect(cells(page, "orders").first).to_be_visible()
