"""Charts: valid Plotly figures, names that stay letters, and the same figures in chart, drawing and table."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly import graph_objects as go

from calc.numbers import short
from metrics import charts
from metrics.charts.labels import APART, spread
from metrics.charts.scale import scale
from metrics.queries.shapes import History, Limits, QuarterChart, Segment
from tests.metrics import page_shapes as shapes

HOSTILE = '<b>Orders</b><a href="javascript:alert(1)">x</a><br>%{x} &lt; $x$ \u202etfel'


def trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(t for t in figure["data"] if t["name"] == name)


def notes_of(figure: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {note["text"]: note for note in figure["layout"]["annotations"]}


@pytest.mark.parametrize(
    "figure",
    [
        charts.quarter_chart(shapes.total_chart(shapes.head())),
        charts.quarter_chart(shapes.level_chart(shapes.head(unit="percent", goal_kind="level"))),
        charts.history_chart(shapes.history(), shapes.head()),
        charts.history_chart(History("month", (), None, (), ()), shapes.head()),
        charts.segment_chart(shapes.head(), shapes.segments()),
        charts.segment_chart(shapes.head(unit="currency:GBP"), ()),
    ],
    ids=["total", "level", "history", "empty history", "segments", "no segments"],
)
def test_plotly_takes_every_property_and_json_every_number(figure: dict[str, Any]) -> None:
    go.Figure(figure)  # raises for a property or value that Plotly does not know
    json.dumps(figure, allow_nan=False)


def test_only_the_basic_bundle_is_needed() -> None:
    figures = [
        charts.quarter_chart(shapes.total_chart(shapes.head())),
        charts.history_chart(shapes.history(), shapes.head()),
        charts.segment_chart(shapes.head(), shapes.segments()),
    ]
    assert {t["type"] for f in figures for t in f["data"]} <= {"scatter", "bar", "pie"}


def test_a_total_ends_in_the_last_figure_and_its_open_part_is_hollow() -> None:
    chart = shapes.total_chart(shapes.head())
    figure = charts.quarter_chart(chart)
    actual, filling = trace(figure, "Actual"), trace(figure, "Still filling")
    joint = trace(figure, "To the newest")
    assert filling["x"] == ["2025-08-15", "2025-08-16", "2025-08-17"]
    assert filling["y"][-1] == joint["y"][-1] == chart.actual[-1].value
    assert actual["x"][-1] == joint["x"][0] == "2025-08-14"  # joined, not torn
    assert joint["hoverinfo"] == "skip"  # the last final figure is told once, and not as still filling
    assert filling["marker"]["color"] == "var(--chart-hole)"


def test_the_target_is_labelled_at_its_end_and_the_axis_says_its_unit() -> None:
    chart = shapes.total_chart(shapes.head(unit="currency:GBP"))
    notes = notes_of(charts.quarter_chart(replace(chart, agreed_target=60_000)))
    assert (notes["target £92k"]["x"], notes["target £92k"]["xanchor"]) == (1, "left")  # beside the chart
    assert notes["target £92k"]["y"] == pytest.approx(92_000)
    assert notes["agreed £60k"]["y"] == pytest.approx(60_000)
    assert notes["target £92k"]["name"] == "£92k"  # what a narrow chart writes instead
    assert "GBP, running total" in notes


def test_labels_beside_a_chart_leave_each_other_room_and_keep_their_order() -> None:
    chart = shapes.total_chart(shapes.head())  # target 92k, agreed 90k: 2 % of the height apart
    flat = replace(shapes.history(), limits=Limits(2_001.0, 2_002.0, 2_000.0, 1.0))
    for figure, upward in (
        (charts.quarter_chart(chart), ["agreed 90k", "target 92k"]),
        (
            charts.history_chart(flat, shapes.head()),
            ["lower", "centre", "upper"],
        ),
    ):
        low, high = figure["layout"]["yaxis"]["range"]
        beside = [note for note in figure["layout"]["annotations"] if note.get("name")]
        beside.sort(key=lambda note: note["y"])
        assert all(n["text"].startswith(words) for n, words in zip(beside, upward, strict=True))
        shares = [(note["y"] - low) / (high - low) for note in beside]
        assert all(b - a >= APART - 1e-9 for a, b in pairwise(shares))
        assert shares[0] >= 0 and shares[-1] <= 1
        assert figure["layout"]["margin"]["r"] > 6 * max(len(note["text"]) for note in beside)


@given(st.lists(st.floats(0, 1), max_size=9), st.floats(0.01, 0.4))
def test_labels_stand_as_near_to_their_lines_as_others_let_them(wanted: list[float], apart: float) -> None:
    found = spread(wanted, apart)
    room = min(apart, 1 / max(len(wanted) - 1, 1))
    order = sorted(range(len(wanted)), key=lambda n: (wanted[n], n))
    inside = [found[n] for n in order]
    assert all(-1e-9 <= at <= 1 + 1e-9 for at in found)
    assert all(b - a >= room - 1e-9 for a, b in pairwise(inside))  # apart, and in the order of their lines
    if all(b - a >= room for a, b in pairwise(sorted(wanted))):
        assert found == pytest.approx(wanted)  # nobody moves without need

    def way(places: list[float]) -> float:
        return sum((wanted[n] - at) ** 2 for n, at in zip(order, places, strict=True))

    for n in range(len(inside)):  # no label could come nearer by itself, nor with all those that it leans on
        for step in (-1e-3, 1e-3):
            for many in range(1, len(inside) - n + 1):
                other = [at + step * (n <= m < n + many) for m, at in enumerate(inside)]
                fits = all(b - a >= room for a, b in pairwise(other)) and other[0] >= 0 and other[-1] <= 1
                assert not fits or way(other) >= way(inside) - 1e-9


def test_two_labels_at_one_height_give_way_alike() -> None:
    assert spread([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])
    assert spread([1.0, 1.0, 1.0], 0.1) == pytest.approx([0.8, 0.9, 1.0])  # the edge gives none
    assert spread([0.2, 0.1, 0.9], 0.3) == pytest.approx([0.3, 0.0, 0.9])
    assert spread([0.5] * 3, 0.9) == pytest.approx([0.0, 0.5, 1.0])  # no room for more
    assert spread([], 0.1) == []


def test_every_limit_is_labelled_beside_the_chart() -> None:
    limits = Limits(100.0, 130.0, 70.0, 30.0)
    notes = notes_of(charts.history_chart(replace(shapes.history(), limits=limits), shapes.head()))
    assert {"centre 100", "upper 130", "lower 70"} <= set(notes)
    assert all(notes[words]["x"] == 1 for words in ("centre 100", "upper 130", "lower 70"))


def test_an_unknown_figure_tears_the_line() -> None:
    values = [1.0, 2.0, None, 4.0]
    figure = charts.history_chart(
        History("week", shapes.points(values, last_provisional=False), None, (), ()), shapes.head()
    )
    assert trace(figure, "Actual")["y"] == values
    assert trace(figure, "Actual")["connectgaps"] is False


def test_limits_follow_a_trend_and_may_lack_a_side() -> None:
    history = replace(shapes.history(), limits=Limits(100.0, 130.0, None, 30.0, slope=2.0))
    lines = [
        s for s in charts.history_chart(history, shapes.head())["layout"]["shapes"] if s["xref"] == "paper"
    ]
    climb = 2.0 * (len(history.points) - 1)
    assert [(s["y0"], s["y1"]) for s in lines] == [(100.0, 100.0 + climb), (130.0, 130.0 + climb)]


def test_what_changed_is_written_inward_and_not_over_another_change() -> None:
    history = shapes.history()
    first, last = history.points[0].at, history.points[-1].at
    long = "Cancelled orders no longer count, whoever has cancelled them"
    seams = ((last - timedelta(days=7), "Late"), (first + timedelta(days=7), "Early"), (first, long))
    figure = charts.history_chart(replace(history, seams=seams), shapes.head())
    go.Figure(figure)
    drawn = [n for n in figure["layout"]["annotations"] if "hovertext" in n]
    assert [(n["text"][:5], n["xanchor"], n["yshift"]) for n in drawn] == [
        ("Cance", "left", 0), ("Early", "left", -15), ("Late", "right", 0),
    ]  # fmt: skip
    assert drawn[0]["text"] == "Cancelled orders no longer…"
    assert drawn[0]["hovertext"].replace("<br>", " ") == long
    assert charts.history_chart(History("week", (), None, (), seams), shapes.head())


def test_bars_say_their_figures_and_names_have_room() -> None:
    segments = shapes.segments()
    figure = charts.segment_chart(shapes.head(), segments)
    (bars,) = figure["data"]
    assert bars["text"] == [short(s.figure, "count") for s in charts.charted(segments)]
    assert all("2025" in text for text in bars["hovertext"])  # the month, with the full figure
    assert not figure["layout"]["xaxis"]["showticklabels"]
    assert figure["layout"]["margin"]["r"] > 40


def test_signals_are_ringed_with_what_they_were() -> None:
    ring = trace(charts.history_chart(shapes.history(), shapes.head()), "Unusual change")
    assert ring["marker"]["symbol"] == "circle-open"
    assert "Storm week, three depots shut" in ring["text"][0]
    assert "not explained yet" in ring["text"][1]


def test_names_are_drawn_letter_by_letter() -> None:
    drawn = charts.plain(HOSTILE, longest=200)
    assert not re.search("[<>]", drawn)
    assert "%{" not in drawn
    assert "\u202e" not in drawn
    assert drawn.startswith("&lt;b&gt;Orders&lt;/b&gt;")
    assert charts.plain("x" * 100) == "x" * 59 + "…"


def test_what_people_write_reaches_plotly_only_escaped() -> None:
    history = shapes.history()
    signal = replace(history.signals[0], disposition=HOSTILE)
    hostile = replace(history, signals=(signal,), seams=((date(2025, 1, 6), HOSTILE),))
    segment = Segment(HOSTILE, date(2025, 7, 1), 3.0, None, None, ())
    texts = json.dumps(
        [charts.history_chart(hostile, shapes.head()), charts.segment_chart(shapes.head(), [segment])]
    )
    assert "<b>" not in texts
    assert "<a " not in texts
    assert "\\u202e" not in texts


def test_colours_are_names_so_that_one_figure_serves_light_and_dark() -> None:
    text = json.dumps(charts.quarter_chart(shapes.total_chart(shapes.head())))
    colours = re.findall(r'"(?:\w*color)": "([^"]+)"', text)
    assert colours
    assert all(c.startswith("var(--chart-") or c == "rgba(0,0,0,0)" for c in colours)


def test_the_table_says_what_the_chart_draws() -> None:
    chart = shapes.total_chart(shapes.head())
    lines = {line.when: line for line in charts.quarter_table(chart)}
    assert len(lines) == 92
    assert lines["17 Aug"].actual == chart.actual[-1].value
    assert lines["17 Aug"].provisional
    assert lines["31 Jul"].benchmark == 31_000
    assert lines["30 Sep"].actual is None
    history = charts.history_table(shapes.history())
    assert history[0].when == "week to 17 Aug 2025"
    assert [line.note for line in history if line.note] == [
        "unusual change, not explained yet",
        "Storm week, three depots shut",
    ]


def test_the_still_drawing_is_well_formed_and_complete() -> None:
    chart = shapes.total_chart(shapes.head())
    drawing = ElementTree.fromstring(str(charts.quarter_svg(chart)))
    kinds = [e.get("class") for e in drawing.iter() if e.get("class")]
    assert kinds.count("benchmark") == 3
    assert {"actual", "open", "plan", "target", "agreed", "last-year"} <= set(kinds)
    texts = [e.text for e in drawing.iter() if e.tag == "text"]
    assert {"Jul", "Aug", "Sep", "target 92k"} <= set(texts)


def test_a_sparkline_ends_where_the_figures_end() -> None:
    drawing = ElementTree.fromstring(str(charts.spark_svg(shapes.points([1, 2, 3]), "count")))
    circle = drawing.find("circle")
    assert circle is not None
    assert circle.get("class") == "open"
    assert float(circle.get("cx", 0)) > 100
    line = drawing.find("polyline")
    assert line is not None
    heights = [float(at.split(",")[1]) for at in (line.get("points") or "").split()]
    assert heights == sorted(heights, reverse=True)  # up is up
    assert "too few" in charts.spark_svg(shapes.points([None, 3]), "count")


@pytest.mark.parametrize(
    ("values", "unit", "from_zero"),
    [
        ([0.9132, 0.94], "percent", False),
        ([1.0, 1.0], "percent", False),
        ([0.0], "count", True),
        ([], "count", True),
        ([-40.0, 12.0], "score", False),
        ([5e-9, 9e-9], "ratio", False),
        ([3e14, 9e14], "currency:GBP", True),
    ],
)
def test_every_scale_has_round_ticks_inside_it(values: list[float], unit: str, from_zero: bool) -> None:
    found = scale(values, unit, from_zero=from_zero)
    assert found.low < found.high
    assert all(found.low <= v <= found.high for v in values)
    ticks = [t for t, _ in found.ticks]
    assert 2 <= len(ticks) <= 9
    assert all(found.low - 1e-12 <= t <= found.high + abs(found.high) * 1e-9 for t in ticks)
    if unit == "percent":
        assert found.high <= 1.05
        assert max(ticks) <= 1


def test_periods_are_said_as_people_say_them() -> None:
    july = date(2011, 7, 1)
    assert charts.period(july, date(2011, 8, 1), "month") == "July"
    assert charts.period(date(2011, 7, 18), date(2011, 7, 25), "week") == "week to 24 Jul"
    assert charts.period(july, date(2011, 10, 1), "quarter", year=True) == "Jul–Sep 2011"
    assert charts.period(july, date(2011, 8, 15), "") == "1 Jul to 14 Aug"
    assert charts.day(date(2011, 8, 14)) == "14 Aug"


def test_quarters_of_no_data_draw_their_plan() -> None:
    chart = shapes.total_chart(shapes.head())
    empty = QuarterChart(**{**chart.__dict__, "actual": (), "last_year": (), "target": None})
    figure = charts.quarter_chart(empty)
    go.Figure(figure)
    assert [t["name"] for t in figure["data"]] == ["Plan", "Benchmark"]
    assert charts.quarter_svg(empty)
    assert (chart.end - chart.start) == timedelta(days=92)


def test_whole_pounds_at_the_axis_have_no_pennies() -> None:
    assert [words for _, words in scale([420.0, 690.0], "currency:GBP", from_zero=False).ticks] == [
        "£500",
        "£600",
        "£700",
    ]


def test_of_many_members_the_largest_are_drawn() -> None:
    made = [shapes.segments()[0]] * 30
    segments = [replace(s, member=f"City {n}", figure=float(29 - n)) for n, s in enumerate(made)]
    drawn = charts.segment_chart(shapes.head(), segments)["data"][0]["x"]
    assert drawn == [float(29 - n) for n in range(12)]
    few = [replace(s, figure=figure) for s, figure in zip(made, (5.0, 0.0, None), strict=False)]
    assert [s.figure for s in charts.charted(few)] == [5.0]  # nothing is no bar
