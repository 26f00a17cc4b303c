"""Why points of a chart are in doubt: disputed, held for checking, or built on figures that are. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from calc.calendar import Grain, Period
from metrics.charts.text import period as say_period
from metrics.queries.courses import Course
from metrics.queries.ingredients import Days, held_days, lies_in, meets
from metrics.queries.shapes import Doubt, Ingredient, Point

DAY = timedelta(days=1)


def of_progress(points: Iterable[Point], course: Course) -> tuple[Point, ...]:
    """The points of a quarter's progress, marked. As for the quarter's status every doubt counts that shares
    a day with the figure: a running total stays in doubt from the disputed day on."""
    running, below = course.goal.kind == "total", course.below
    return tuple(
        _marked(
            p, course, meets, below.of(course.metric.key, Period(p.start, p.at + DAY, Grain.DAY)), running
        )
        for p in points
    )


def of_figures(points: Iterable[Point], course: Course, grain: Grain) -> tuple[Point, ...]:
    """Stored figures of one grain, marked as the API does: by what is in doubt of the same days or of a part
    of them. Held figures in whose place none stands come as unknown ones."""
    below = course.below
    marked = tuple(
        _marked(p, course, lies_in, below.of_figure(course.metric.key, Period(p.start, p.at + DAY, grain)))
        for p in points
    )
    return tuple(sorted((*marked, *_missing(marked, course, grain)), key=lambda p: p.start))


def _marked(
    point: Point,
    course: Course,
    counts: Callable[[Days, Days], bool],
    below: Iterable[Ingredient],
    running: bool = False,
) -> Point:
    mine = (point.start, point.at + DAY)
    own = None if running else mine  # what is in doubt of a running total is some figure in it
    said = [
        _disputed(doubt, own)
        for doubt in course.below.doubts.get(course.metric.key, ())
        if counts((doubt.start, doubt.end), mine)
    ]
    held = [entry for entry in course.clock.held if counts(held_days(entry), mine)]
    held.sort(key=lambda entry: held_days(entry) != mine)
    said += [_held(entry, own) for entry in held[:1]]  # a month that is held has held days in it
    said += [f"{one.words}: {one.text}" if one.text else one.words for one in below]
    return replace(point, doubts=tuple(said)) if said else point


def _missing(points: tuple[Point, ...], course: Course, grain: Grain) -> Iterator[Point]:
    """Of held figures with none before them: what was computed last is not the last good one."""
    there = {p.start for p in points}
    first = min(there, default=date.max)
    for entry in course.clock.held:
        start, end = held_days(entry)
        if entry["grain"] == grain and start not in there and first <= start <= course.as_of:
            yield Point(start, end - DAY, None, doubts=(_held(entry, (start, end)),))


def _disputed(doubt: Doubt, mine: Days | None) -> str:
    """`disputed by Ana: ...`, or which of its figures that is: `its figure for July, Spain, is ...`."""
    of = [] if (doubt.start, doubt.end) == mine else [say_period(doubt.start, doubt.end, doubt.grain)]
    of += [doubt.member] if doubt.member else []
    whose = f"its figure for {', '.join(of)} is " if of else ""
    return f"{whose}disputed{f' by {doubt.by}' if doubt.by else ''}: {doubt.text}"


def _held(entry: Mapping[str, Any], mine: Days | None) -> str:
    days = held_days(entry)
    whose = "" if days == mine else f"its figure for {say_period(*days, entry['grain'])} is "
    return f"{whose}held for checking: {entry['reason']}"
