"""Lines of the board and of leader pages: progress, last figure, sparkline, the owner's words, action."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from calc.calendar import Calendar, Grain
from calc.rollup import compare
from metrics.queries import installation
from metrics.queries.courses import DAY, Course
from metrics.queries.progress import judge
from metrics.queries.series import Stored, Wanted
from metrics.queries.shapes import Latest, Point, Row, Todo, Words
from owners.models import Action, CheckIn

CHECKED_IN = ("north_star", "focus", "guardrail")  # roles whose owners are asked for a word
SPARK = 13  # points: a quarter of weeks, or a year of months and the same month again
_LENGTH = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 31, Grain.QUARTER: 92, Grain.YEAR: 366}


def spark_wanted(course: Course) -> Wanted:
    """The own rhythm's figures of the last year and a bit, by `as_of`."""
    grain = Grain(course.head.grain)
    end = min(course.as_of, course.quarter.end - DAY) + DAY
    back = max(_LENGTH[grain] * SPARK, 366 + _LENGTH[grain])
    return Wanted(course.metric.id, grain, end - timedelta(days=back), end)


def rows(courses: Sequence[Course], series: Sequence[tuple[Stored, ...]], cal: Calendar) -> tuple[Row, ...]:
    """One line a course; `series` are those of `spark_wanted`. Two SQL statements, whatever their number."""
    keys = [c.metric.key for c in courses]
    day = max((c.as_of for c in courses), default=None)
    words = latest_words(keys, installation.words_by(cal, day) if day else None)
    todos = open_actions(keys)
    found = []
    for course, figures in zip(courses, series, strict=True):
        spark, latest = _recent(course, figures, cal)
        key = course.metric.key
        found.append(Row(judge(course), latest, spark, words.get(key), todos.get(key)))
    return tuple(found)


def latest_words(keys: Iterable[str], day: date | None) -> dict[str, Words]:
    """The newest check-in of each metric dated by `day`. One SQL statement."""
    found = CheckIn.objects.filter(metric_key__in=list(keys)).select_related("leader", "author")
    if day:
        found = found.filter(date__lte=day)
    newest = found.order_by("metric_key", "-date", "-created_at").distinct("metric_key")
    return {c.metric_key: said(c) for c in newest}


def said(check_in: CheckIn) -> Words:
    """Whose words they are: "Ada", or "Grace for Ada" where a delegate spoke. Select leader and author."""
    by, author = check_in.leader.name, check_in.author
    if author is not None and author.pk != check_in.leader.user_id and str(author) != by:
        by = f"{author} for {by}"
    return Words(check_in.text, check_in.date, by, check_in.confidence, check_in.next_step)


def open_actions(keys: Iterable[str]) -> dict[str, Todo]:
    """The open action of each metric that is due first. One SQL statement."""
    found = Action.objects.filter(metric_key__in=list(keys), done_at=None).select_related("leader")
    first: dict[str, Todo] = {}
    for action in found.order_by("due_date", "id"):
        first.setdefault(action.metric_key, todo(action))
    return first


def todo(action: Action) -> Todo:
    return Todo(action.text, action.leader.name if action.leader else "", action.due_date, action.id)


def last_meeting(cal: Calendar, as_of: date) -> date:
    """Since when changes are news: what a weekly meeting saw last."""
    return cal.period(Grain.WEEK, as_of).start - timedelta(days=7)


def worst_first(found: Iterable[Row]) -> tuple[Row, ...]:
    """Off track before at risk before the rest; inside a status the largest gap to plan first."""

    def place(row: Row) -> tuple[int, float, str]:
        pace = row.progress.pace
        return (row.progress.status.state.rank, pace if pace is not None else 9.0, row.metric.name)

    return tuple(sorted(found, key=place))


def _recent(
    course: Course, figures: tuple[Stored, ...], cal: Calendar
) -> tuple[tuple[Point, ...], Latest | None]:
    """The last whole figures, those of periods that ended and were loaded by then, and the newest of them."""
    grain = Grain(course.head.grain)
    end = course.as_of + DAY
    if course.manual is None and course.clock.watermark:
        end = min(end, course.clock.watermark)
    whole = [f for f in figures if f.end <= end]
    spark = tuple(
        Point(f.start, f.end - DAY, f.value, not f.final, f.numerator, f.denominator, f.version)
        for f in whole[-SPARK:]
    )
    if not whole:
        return spark, None
    newest = whole[-1]
    by_start = {f.start: f.value for f in figures}
    period = cal.period(grain, newest.start)
    before = by_start.get(cal.previous(period).start)
    year_back = by_start.get(cal.year_back(period).start)
    latest = Latest(
        str(grain),
        newest.start,
        newest.end,
        newest.value,
        compare(newest.value, before, course.metric.unit),
        compare(newest.value, year_back, course.metric.unit),
        not newest.final,
    )
    return spark, latest
