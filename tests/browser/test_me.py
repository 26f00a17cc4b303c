"""A leader's check-in on a phone: how many taps it takes, that drafts survive, and that it is accessible."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, expect

from metrics.models import Entry
from metrics.queries.me import my_page
from owners.models import Action, CheckIn, Leader, User
from owners.services.check_in_links import link_path
from tests.browser.conftest import ARTIFACTS, Open
from tests.browser.test_looks import HEIGHTS, findings
from tests.metrics.stage import Stage, agree

pytestmark = pytest.mark.django_db(transaction=True)


class Thumb:
    """Counts taps."""

    def __init__(self) -> None:
        self.taps = 0

    def tap(self, place: Locator) -> None:
        place.click()
        self.taps += 1


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)], ids=["phone", "desktop"])
def test_the_whole_round_takes_four_taps_and_a_sentence_a_metric(
    company: Stage, open_as: Open, width: int, height: int
) -> None:
    agree()
    CheckIn.objects.all().delete()
    page = open_as(company.elena, width=width, height=height).go("/me/")
    thumb, taken = Thumb(), []
    thumb.tap(page.get_by_role("link", name="Start"))
    for _ in range(2):
        page.get_by_label("What changed?").wait_for()
        name = page.get_by_role("heading", level=1).inner_text()
        first = page.locator("input[name^=numerator]")
        if first.count():
            expect(first).to_be_focused()  # so that typing begins without a tap
            page.keyboard.type("18")
            thumb.tap(page.locator("input[name^=denominator]"))
            page.keyboard.type("25")
        thumb.tap(page.get_by_label("What changed?"))
        page.keyboard.type("Steady.")
        at = page.url
        thumb.tap(page.get_by_role("button", name=re.compile("^Save")))
        page.wait_for_url(lambda url, at=at: url != at)
        taken.append((name, thumb.taps))
        thumb.taps = 0
    assert all(taps <= 4 for _, taps in taken), taken
    assert {name for name, _ in taken} == {"On-time share", "Success plans done"}
    expect(page.get_by_role("heading", name="You are done.")).to_be_visible()
    assert Entry.objects.get(metric__key="plans", period_start=company.month).numerator == 18
    assert set(CheckIn.objects.values_list("metric_key", "text")) == {
        ("on_time", "Steady."),
        ("plans", "Steady."),
    }


def test_nothing_new_is_one_tap_and_works_without_script(company: Stage, open_as: Open) -> None:
    agree()
    page = open_as(company.charlie, width=390, height=844, script=False).go("/me/orders/")
    page.get_by_role("button", name=re.compile("^Nothing new")).click()
    expect(page.get_by_role("heading", name="You are done.")).to_be_visible()
    assert CheckIn.objects.get(metric_key="orders").leader.key == "charlie"


def test_a_draft_survives_until_it_is_saved(company: Stage, open_as: Open) -> None:
    agree()
    visit = open_as(company.charlie, width=390, height=844)
    page = visit.go("/me/orders/")
    page.get_by_label("What changed?").fill("Half a thought")
    page = visit.go("/me/")
    page = visit.go("/me/orders/")
    expect(page.get_by_label("What changed?")).to_have_value("Half a thought")
    page.get_by_role("button", name=re.compile("^Save")).click()
    expect(page.get_by_role("heading", name="You are done.")).to_be_visible()
    kept = "Object.keys(localStorage).filter(k => k.startsWith('check-in:')).length"
    assert page.evaluate(kept) == 0


def test_a_draft_holds_the_figure_and_what_is_folded(company: Stage, open_as: Open) -> None:
    agree()
    visit = open_as(company.elena, width=390, height=844)
    page = visit.go("/me/plans/")
    page.locator("input[name^=numerator]").fill("18")
    page.get_by_text("Confidence, next step, help").click()
    page.get_by_label("Next step").fill("Call Leeds")
    page.get_by_text("Call it differently").click()
    page.get_by_label("at risk").check()
    visit.go("/me/")
    page = visit.go("/me/plans/")
    expect(page.locator("input[name^=numerator]")).to_have_value("18")
    expect(page.get_by_label("Next step")).to_be_visible()
    expect(page.get_by_label("Next step")).to_have_value("Call Leeds")
    expect(page.get_by_label("at risk")).to_be_checked()


def test_a_draft_over_words_that_changed_elsewhere_is_offered_and_not_lost(
    company: Stage, open_as: Open
) -> None:
    """A phone and a desk: what is begun on one while the other saves is neither lost nor put over it."""
    agree()
    phone = open_as(company.elena, width=390, height=844)
    page = phone.go("/me/on_time/")
    page.get_by_label("What changed?").fill("Typed in the tunnel")
    phone.go("/me/")
    said = CheckIn.objects.get(metric_key="on_time")
    said.text = "Said at the desk."
    said.save()
    page = phone.go("/me/on_time/")
    expect(page.get_by_label("What changed?")).to_have_value("Said at the desk.")
    offer = page.get_by_role("status").filter(has_text="Typed in the tunnel")
    expect(offer).to_be_visible()
    page = phone.go("/me/on_time/")  # nothing was chosen: it is still there
    offer.get_by_role("button", name="Use what I typed").click()
    expect(page.get_by_label("What changed?")).to_have_value("Typed in the tunnel")
    expect(offer).to_have_count(0)
    page = phone.go("/me/on_time/")
    expect(page.get_by_label("What changed?")).to_have_value("Typed in the tunnel")


def test_a_link_leaves_no_words_in_the_browser(company: Stage, open_as: Open) -> None:
    CheckIn.objects.all().delete()
    item = my_page(company.elena).item("on_time")
    assert item is not None and item.asked.since is not None
    path = link_path(company.elena, "on_time", item.asked.since, timezone.now())
    page = open_as(None, width=390, height=844).go(path)
    page.get_by_label("What changed?").fill("From the train.")
    page.get_by_role("button", name=re.compile("^Save")).click()
    expect(page.get_by_role("heading", name="Saved.")).to_be_visible()
    assert CheckIn.objects.get(metric_key="on_time").text == "From the train."
    assert page.evaluate("Object.keys(localStorage).filter(k => k.startsWith('check-in:')).length") == 0


def test_the_keyboard_goes_to_me(company: Stage, open_as: Open) -> None:
    page = open_as(company.elena).go("/")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url(re.compile("/me/$"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_accessible_and_fits(company: Stage, open_as: Open, width: int, theme: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    leader = Leader.objects.get(key="elena")
    Action.objects.create(text="Call the two depots", leader=leader, metric_key="on_time")
    visit = open_as(company.elena, width=width, height=HEIGHTS[width], theme=theme)
    wrong: list[str] = []

    def look(name: str) -> None:
        wrong.extend(f"{name}: {finding}" for finding in findings(page))
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            wrong.append(f"{name}: {wide} pixels wide on a screen of {width}")
        page.screenshot(path=ARTIFACTS / f"{name}-{width}-{theme}.png", full_page=True)

    page = visit.go("/me/")
    look("me")
    page = visit.go("/me/plans/")
    page.locator("details.folded").first.evaluate("e => { e.open = true }")
    look("me-counted")
    page = visit.go("/me/on_time/")
    look("me-computed")
    visit = open_as(company.viewer, width=width, height=HEIGHTS[width], theme=theme)
    page = visit.go("/me/")
    look("me-empty")
    CheckIn.objects.create(
        metric_key="orders", leader=Leader.objects.get(key="charlie"), date=company.today, text="x"
    )
    visit = open_as(company.charlie, width=width, height=HEIGHTS[width], theme=theme)
    page = visit.go("/me/")
    look("me-done")
    assert not wrong, "\n".join(wrong)


def signed(user: User, key: str) -> str:
    """The address of a reminder's link to a check-in that is due."""
    item = my_page(user).item(key)
    assert item is not None
    return link_path(user, key, item.asked.since, timezone.now())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_signed_check_in_is_accessible_to_its_end(
    company: Stage, open_as: Open, width: int, theme: str
) -> None:
    CheckIn.objects.all().delete()
    visit = open_as(None, width=width, height=HEIGHTS[width], theme=theme)
    wrong: list[str] = []

    def look(name: str) -> None:
        wrong.extend(f"{name}: {finding}" for finding in findings(page))
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong.append(f"{name}: wider than the screen")

    address = signed(company.elena, "plans")
    page = visit.go(address)
    look("asked")
    page.locator("details.folded").evaluate_all("all => all.forEach(fold => { fold.open = true })")
    look("unfolded")
    page.get_by_label("How sure are you of the quarter’s target?").fill("lots")
    page.get_by_role("radio", name="off track").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".error").first).to_be_visible()
    look("refused")
    page.locator("input[name^=numerator]").fill("18")
    page.locator("input[name^=denominator]").fill("25")
    page.get_by_label("What changed?").fill("Steady.")
    page.get_by_label("How sure are you of the quarter’s target?").fill("70")
    page.get_by_label("Why, in a sentence").fill("Two kitchens are closed.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Saved.")).to_be_visible()
    look("saved")
    assert CheckIn.objects.get(metric_key="plans").confidence == pytest.approx(0.7)
    answer = visit.page.goto(visit.base + address)
    assert answer is not None and answer.status == 410
    look("over")
    assert not wrong, "\n".join(wrong)
