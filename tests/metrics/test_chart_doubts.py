"""Charts mark figures that are disputed, held, or built on such ones; hover and table say why."""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from plotly import graph_objects as go

from metrics import charts
from metrics.models import Metric, MetricState
from metrics.queries.disputes import disputed
from metrics.queries.metric import metric_page
from metrics.queries.shapes import History, MetricPage, Point
from metrics.services import disputes
from metrics.templatetags.frame import history_chart, quarter_chart
from owners.models import User
from tests.metrics import making
from tests.metrics import page_shapes as shapes
from tests.metrics.quarter import QUARTER, at, quarter, signed_in
from tests.people import Company, metric

ODD = "Spain is missing since Monday."
TOLD = "disputed by Analyst: Spain is missing since Monday."
HIGH = "1e9 is above the highest plausible figure"
JULY = date(2026, 7, 1)
HIDDEN = "Salaries of the board"


@pytest.fixture
def people(db: None) -> Iterator[Company]:
    """`orders` (44 days) feed `half`, which feeds `quarter_of`; `growth` compares with a year before."""
    with at():
        made = quarter()
        orders = made.metrics["orders"]
        making.month(orders, 2026, 6, 2_400.0)
        making.month(orders, 2026, 7, 2_480.0)
        making.figure(orders, "week", date(2026, 7, 6), date(2026, 7, 13), 560.0)
        making.figure(orders, "quarter", JULY, date(2026, 10, 1), 3_520.0, status="provisional")
        made.metrics["half"] = built("half", {"orders": "orders"}, 1_240.0)
        made.metrics["quarter_of"] = built("quarter_of", {"half": "half"}, 620.0)
        back = {"now": "orders", "then": {"metric": "orders", "offset": "1 year"}}
        made.metrics["growth"] = built("growth", back, 0.2, unit="percent")
        yield made


def built(key: str, inputs: dict[str, object], july: float, **fields: object) -> Metric:
    made = metric(
        key, "alice", type="derived", spec={"formula": " + ".join(inputs), "inputs": inputs}, role="focus",
        **{"unit": "count", **fields},
    )  # fmt: skip
    making.month(made, 2026, 6, july)
    making.month(made, 2026, 7, july)
    making.target(made, QUARTER, july, [july] * 3)
    return made


def raised(people: Company, key: str = "orders", grain: str = "month", start: date = JULY) -> None:
    disputes.dispute(people.analyst, people.metrics[key], grain, start, ODD)


def hold(of: Metric, *places: tuple[str, str, str]) -> None:
    held = [
        {
            "grain": grain, "period_start": start, "period_end": end, "value": 1e9, "reason": HIGH,
            "at": "2026-08-14T06:00:00+00:00",
        }
        for grain, start, end in places
    ]  # fmt: skip
    MetricState.objects.create(metric=of, held=held)


def page(people: Company, key: str = "orders", grain: str = "month", who: User | None = None) -> MetricPage:
    found = metric_page(who or people.analyst, key, grain=grain)
    assert found
    return found


def said(points: tuple[Point, ...]) -> dict[date, tuple[str, ...]]:
    """Why, by the last day of each point in doubt."""
    return {p.at: p.doubts for p in points if p.doubts}


def test_a_disputed_figure_is_marked_with_who_and_why(people: Company) -> None:
    assert not said(page(people).history.points) and not said(page(people).chart.actual)
    raised(people)
    assert said(page(people).history.points) == {date(2026, 7, 31): (TOLD,)}
    about = disputed(people.metrics["orders"].disputes.get().pk, people.analyst)
    assert about
    disputes.answer(people.analyst, about, outcome="right", text="A holiday.")
    assert not said(page(people).history.points) and not said(page(people).chart.actual)


def test_what_holds_the_disputed_days_is_marked_and_what_lies_in_them_is_not(people: Company) -> None:
    raised(people, grain="week", start=date(2026, 7, 6))
    of_the_week = f"its figure for week to 12 Jul is {TOLD}"
    assert said(page(people, grain="week").history.points) == {date(2026, 7, 12): (TOLD,)}
    assert said(page(people, grain="month").history.points) == {date(2026, 7, 31): (of_the_week,)}
    assert said(page(people, grain="quarter").history.points) == {date(2026, 9, 30): (of_the_week,)}
    assert not said(page(people, grain="day").history.points)


def test_a_running_total_stays_in_doubt_from_the_disputed_day_on(people: Company) -> None:
    raised(people, grain="week", start=date(2026, 7, 6))
    found = said(page(people).chart.actual)
    assert (min(found), max(found), len(found)) == (date(2026, 7, 6), date(2026, 8, 13), 39)
    assert set(found.values()) == {(f"its figure for week to 12 Jul is {TOLD}",)}


def test_the_quarter_so_far_is_disputed_from_its_first_day(people: Company) -> None:
    raised(people, grain="quarter")
    assert len(said(page(people).chart.actual)) == 44


def test_a_running_total_is_in_doubt_for_one_reason_also_when_it_is_as_long_as_the_disputed_month(
    people: Company,
) -> None:
    raised(people)
    found = said(page(people).chart.actual)
    assert len(found) == 44
    assert set(found.values()) == {(f"its figure for July is {TOLD}",)}  # one mark, not three


def test_what_is_built_on_it_is_marked_through_every_metric_between(people: Company) -> None:
    raised(people)
    why = (f"built on Orders, whose figure for July is disputed: {ODD}",)
    for key in ("half", "quarter_of", "growth"):
        shown = page(people, key)
        assert said(shown.history.points) == {date(2026, 7, 31): why}, key
        assert said(shown.chart.actual) == {date(2026, 7, 31): why}, key


def test_what_is_compared_with_a_year_before_is_built_on_that_year(people: Company) -> None:
    making.month(people.metrics["orders"], 2025, 7, 2_000.0)
    raised(people, start=date(2025, 7, 1))
    assert list(said(page(people, "growth").chart.actual)) == [date(2026, 7, 31)]
    assert not said(page(people, "half").chart.actual)


def test_an_own_doubt_stands_before_those_built_on(people: Company) -> None:
    raised(people)
    raised(people, "half")
    (why,) = said(page(people, "half").history.points).values()
    assert why == (TOLD, f"built on Orders, whose figure for July is disputed: {ODD}")


def test_a_members_doubt_is_one_of_the_whole(people: Company) -> None:
    place = {"dimension": "country", "member": "Spain"}
    Metric.objects.filter(key="orders").update(by=["country"])
    making.month(people.metrics["orders"], 2026, 7, 1_240.0, **place)
    disputes.dispute(people.analyst, people.metrics["orders"], "month", JULY, ODD, **place)
    assert said(page(people).history.points) == {date(2026, 7, 31): (f"its figure for Spain is {TOLD}",)}


def test_a_held_figure_is_marked_where_the_last_good_one_stands(people: Company) -> None:
    hold(people.metrics["orders"], ("day", "2026-07-20", "2026-07-21"), ("month", "2026-07-01", "2026-08-01"))
    assert said(page(people).history.points) == {date(2026, 7, 31): (f"held for checking: {HIGH}",)}
    assert said(page(people, "half").history.points) == {
        date(2026, 7, 31): (f"built on Orders, whose figure for 20 Jul is held for checking: {HIGH}",)
    }
    days = said(page(people, grain="day").history.points)
    assert days == {date(2026, 7, 20): (f"held for checking: {HIGH}",)}


def test_a_held_figure_with_none_in_its_place_is_told_by_the_table(people: Company) -> None:
    hold(people.metrics["half"], ("month", "2026-08-01", "2026-09-01"))
    history = page(people, "half").history
    assert history.points[-1] == Point(
        date(2026, 8, 1), date(2026, 8, 31), None, doubts=(f"held for checking: {HIGH}",)
    )
    newest = charts.history_table(history)[0]
    assert (newest.when, newest.actual, newest.note) == ("August 2026", None, f"? held for checking: {HIGH}")
    go.Figure(charts.history_chart(history, shapes.head()))


def test_pages_say_it_in_hover_table_and_legend(people: Company) -> None:
    raised(people)
    body = signed_in(people.viewer).get("/metrics/half/?grain=month").content.decode()
    assert body.count('<li class="doubt">in doubt</li>') == 2  # of the quarter and of the history
    assert body.count("<td>? built on Orders, whose figure for July is disputed: Spain is missing since") == 2
    for part in ("quarter", "history"):
        found = re.search(rf'<script id="{part}-half-data"[^>]*>(.*?)</script>', body, re.DOTALL)
        assert found
        figure = json.loads(found[1])
        (marks,) = [t for t in figure["data"] if t["name"] == "In doubt"]
        assert (marks["x"], marks["text"]) == (["2026-07-31"], ["<b>?</b>"])
        (hover,) = [
            text for t in figure["data"] if t["name"] == "Actual" for text in t["text"] if "?" in text
        ]
        assert hover.replace("<br>", " ").endswith(
            "? built on Orders, whose figure for July is disputed: Spain is missing since Monday."
        )
    leader = signed_in(people.viewer).get("/leaders/alice/").content.decode()
    assert "whose figure for July is disputed" in leader


@pytest.mark.parametrize("held", [False, True])
def test_a_metric_that_one_may_not_see_is_not_named(people: Company, held: bool) -> None:
    Metric.objects.filter(key="orders").update(name=HIDDEN, visible="leadership")
    if held:
        hold(people.metrics["orders"], ("month", "2026-07-01", "2026-08-01"))
    else:
        raised(people)
    state = "held for checking" if held else "disputed"
    for key in ("half", "quarter_of"):
        shown = page(people, key, who=people.charlie)
        why = {date(2026, 7, 31): (f"built on a figure that is {state}",)}
        assert said(shown.history.points) == said(shown.chart.actual) == why
        body = signed_in(people.charlie).get(f"/metrics/{key}/?grain=month").content.decode()
        assert HIDDEN not in body and ODD not in body and HIGH not in body


@pytest.mark.parametrize("path", ["/metrics/half/?grain=month", "/leaders/alice/", "/"])
def test_pages_ask_no_more_of_the_database_for_it(people: Company, path: str) -> None:
    client = signed_in(people.viewer)
    client.get(path)
    with CaptureQueriesContext(connection) as calm:
        client.get(path)
    raised(people)
    raised(people, "half")
    hold(people.metrics["quarter_of"], ("month", "2026-07-01", "2026-08-01"))
    with CaptureQueriesContext(connection) as doubtful:
        client.get(path)
    assert len(doubtful) == len(calm)


def doubtful(values: list[float | None], why: dict[int, tuple[str, ...]], days: int) -> tuple[Point, ...]:
    made = shapes.points(values, grain_days=days, last_provisional=False)
    return tuple(replace(p, doubts=why.get(n, ())) for n, p in enumerate(made))


def test_days_that_are_in_doubt_together_have_one_mark_at_the_last() -> None:
    days = doubtful([1.0, 2.0, 3.0, 4.0, 5.0], {1: ("a",), 2: ("a",), 3: ("b",)}, days=1)
    drawn = charts.quarter_chart(replace(shapes.total_chart(shapes.head()), actual=days))
    go.Figure(drawn)
    bands = [t for t in drawn["data"] if t["name"] == "In doubt" and t["mode"] == "lines"]
    marks = [t for t in drawn["data"] if t["name"] == "In doubt" and t["mode"] == "markers+text"]
    assert [t["y"] for t in bands] == [[2.0, 3.0]]
    assert [t["y"] for t in marks] == [[3.0, 4.0]]
    names = [t["name"] for t in drawn["data"]]
    assert names.index("In doubt") < names.index("Actual")  # the band lies under the line
    assert names[-1] == "In doubt"  # the mark lies on it


def test_weeks_have_a_mark_each_and_unknown_ones_none() -> None:
    weeks = doubtful([1.0, 2.0, None, 4.0], {0: ("a",), 1: ("a",), 2: ("a",)}, days=7)
    drawn = charts.history_chart(History("week", weeks, None, (), ()), shapes.head())
    (marks,) = [t for t in drawn["data"] if t["name"] == "In doubt"]
    assert (marks["y"], marks["text"]) == ([1.0, 2.0], ["<b>?</b>"] * 2)
    assert marks["hoverinfo"] == "skip"  # the figure's own hover says why
    (actual,) = [t for t in drawn["data"] if t["name"] == "Actual"]
    assert [text.endswith("<br>? a") for text in actual["text"]] == [True, True, False, False]


def test_the_still_drawing_marks_it_too() -> None:
    days = doubtful([1.0, 2.0, 3.0], {1: ("a",), 2: ("a",)}, days=1)
    chart = replace(shapes.total_chart(shapes.head()), actual=days)
    drawing = ElementTree.fromstring(str(charts.quarter_svg(chart)))
    (sign,) = [e for e in drawing.iter("text") if e.get("class") == "doubt"]
    (ring,) = [e for e in drawing.iter("circle") if e.get("class") == "doubt"]
    assert sign.text == "?"
    assert sign.get("x") == ring.get("cx")


def test_charts_without_doubt_show_no_sign_of_it() -> None:
    for context in (
        quarter_chart(shapes.total_chart(shapes.head())),
        history_chart(shapes.history(), shapes.head()),
    ):
        assert "in doubt" not in [words for _, words in context["legend"]]
        assert "In doubt" not in [t["name"] for t in context["figure"]["data"]]
    assert "doubt" not in str(charts.quarter_svg(shapes.total_chart(shapes.head())))


def test_what_people_write_is_broken_into_lines_and_drawn_letter_by_letter() -> None:
    text = '<a href="javascript:alert(1)">x</a> %{y} ' + "so it goes on " * 40
    lines = charts.wrapped(text).split("<br>")
    assert len(lines) > 2
    assert not re.search("[<>]|%{", "".join(lines))
    assert max(len(unescape(line)) for line in lines) < 46
    assert lines[-1].endswith("…")
    assert charts.wrapped("x" * 100).count("<br>") == 2  # a word that never ends is broken as well
    point = Point(JULY, JULY + timedelta(days=6), 1.0, doubts=(text,))
    drawn = charts.history_chart(History("week", (point,), None, (), ()), shapes.head())
    assert "<a" not in json.dumps(drawn)
