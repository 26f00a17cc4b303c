"""Made-up answers of the queries, to draw pages and charts without a warehouse behind them."""

# ruff: noqa: E501 - one made-up line of figures reads better unbroken

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from calc.status import State, Status
from metrics.queries.shapes import (
    EntryCell,
    History,
    Latest,
    Limits,
    MetricHead,
    Person,
    Point,
    Progress,
    QuarterChart,
    Row,
    Segment,
    Signal,
    TargetCell,
    TargetRow,
)

NOW = datetime(2025, 8, 18, 9, 30, tzinfo=UTC)
START, END = date(2025, 7, 1), date(2025, 10, 1)
DUE = date(2025, 8, 17)
MAYA = Person("maya", "Maya Chen", "Head of Growth", "Growth")


def head(key: str = "orders", name: str = "Orders delivered on time", **changes: Any) -> MetricHead:
    base = MetricHead(
        id=1,
        key=key,
        name=name,
        role="focus",
        lens="frequency",
        stage="walk",
        unit="count",
        better="up",
        low=None,
        high=None,
        type="simple",
        manual=False,
        definition="Orders handed over within the promised window, cancelled ones left out.",
        success="Ten percent more each quarter without a fall in the on-time share.",
        segment="Returning households",
        visible="everyone",
        owner=MAYA,
        goal_kind="total",
        goal_grain="quarter",
        grain="week",
        by=("city",),
    )
    return replace(base, **changes)


def progress(metric: MetricHead, state: State = State.ON_TRACK, **changes: Any) -> Progress:
    base = Progress(
        metric=metric,
        quarter="2025-Q3",
        target=92_000,
        agreed_target=92_000,
        benchmark=30_000,
        baseline=84_000,
        figure=47_310,
        period_start=START,
        period_end=DUE + timedelta(days=1),
        planned_to_date=46_200,
        gap=1_110,
        progress=0.51,
        pace=1.02,
        required_rate=993,
        required_per_month=30_100,
        required_per_day=993,
        forecast=None,
        probability=None,
        status=Status(state, "2.4 % ahead of plan: 47.3k of 46.2k due by 17 Aug"),
        reason="2.4 % ahead of plan: 47.3k of 46.2k due by 17 Aug",
        due_through=DUE,
        provisional=False,
        stale_since=None,
    )
    return replace(base, **changes)


def points(
    values: list[float | None], grain_days: int = 7, last_provisional: bool = True
) -> tuple[Point, ...]:
    first = DUE - timedelta(days=grain_days * len(values) - 1)
    return tuple(
        Point(
            first + timedelta(days=grain_days * n),
            first + timedelta(days=grain_days * (n + 1) - 1),
            v,
            last_provisional and n == len(values) - 1,
        )
        for n, v in enumerate(values)
    )


def wave(base: float, size: float, count: int = 13, slope: float = 0.0) -> list[float | None]:
    return [base + size * math.sin(n * 1.7) + slope * n for n in range(count)]


def row(metric: MetricHead, state: State = State.ON_TRACK, **changes: Any) -> Row:
    level = changes.get("figure", 47_310) or 1
    return Row(
        progress=progress(metric, state, **changes),
        latest=Latest("week", date(2025, 8, 11), date(2025, 8, 18), level, 0.042, 0.118, False),
        spark=points(wave(level, level * 0.04, slope=level * 0.006)),
        words=None,
        action=None,
    )


def total_chart(metric: MetricHead) -> QuarterChart:
    done = (DUE - START).days + 1
    run, actual = 0.0, []
    for n in range(done):
        day = START + timedelta(days=n)
        run += 990 + 140 * math.sin(day.weekday())
        actual.append(Point(day, day, run, provisional=n >= done - 3))
    plan = [(START + timedelta(days=n), 92_000 * (n + 1) / 92) for n in range(92)]
    before = [(START + timedelta(days=n), 83_000 * (n + 1) / 92 + 600 * math.sin(n / 6)) for n in range(92)]
    marks = ((date(2025, 7, 31), 31_000.0), (date(2025, 8, 31), 62_000.0), (date(2025, 9, 30), 92_000.0))
    return QuarterChart(
        metric, "2025-Q3", "Q3 2025 (Jul–Sep)", START, END, "total", tuple(actual), (), tuple(plan), marks,
        92_000, 90_000, tuple(before), DUE,
    )  # fmt: skip


def level_chart(metric: MetricHead) -> QuarterChart:
    marks = ((date(2025, 7, 31), 0.925), (date(2025, 8, 31), 0.93), (date(2025, 9, 30), 0.94))
    fine = tuple(Point(p.start, p.at, p.value) for p in points([0.91, 0.915, 0.922, 0.908, 0.913, 0.917]))
    return QuarterChart(
        metric, "2025-Q3", "Q3 2025 (Jul–Sep)", START, END, "level",
        (Point(date(2025, 7, 1), date(2025, 7, 31), 0.9132, False, 29_112, 31_879),), fine, marks, marks,
        0.94, None, ((date(2025, 7, 31), 0.9), (date(2025, 8, 31), 0.905), (date(2025, 9, 30), 0.91)), DUE,
    )  # fmt: skip


def history(values: list[float | None] | None = None) -> History:
    series = points(values or wave(6_400, 240, 60, slope=9))
    at = series[41]
    return History(
        "week", series, Limits(6_600, 7_150, 6_050, 700),
        (
            Signal(at.start, at.at, at.value or 0, ("beyond_limit",), "Storm week, three depots shut", "Maya Chen"),
            Signal(series[55].start, series[55].at, series[55].value or 0, ("run_of_eight",), "", ""),
        ),
        ((series[20].start, "version 2: cancelled orders left out"),),
    )  # fmt: skip


def segments() -> tuple[Segment, ...]:
    return tuple(
        Segment(name, date(2025, 7, 1), 12_000.0 / (n + 1), 0.04 - n / 50, 0.1, points(wave(100, 8)))
        for n, name in enumerate(("London", "Leeds", "York", "Bath", "(other)"))
    )


def entries() -> tuple[EntryCell, ...]:
    def cell(month: int, label: str, num: float | None, den: float | None, **more: Any) -> EntryCell:
        base: dict[str, Any] = {
            "start": date(2025, month, 1), "end": date(2025, month + 1, 1), "label": label,
            "value": num / den if num is not None and den else None, "numerator": num, "denominator": den,
            "note": "", "by": "Maya Chen" if num else "", "entered_at": NOW if num else None,
            "due_date": date(2025, month + 1, 5), "open": True, "late": False, "token": f"t{month}",
        }  # fmt: skip
        return EntryCell(**(base | more))

    return (
        cell(9, "Sep 2025", None, None, open=False),
        cell(8, "Aug 2025", None, None),
        cell(7, "Jul 2025", None, None, late=True),
        cell(6, "Jun 2025", 18, 25, note="one plan moved to July"),
        cell(5, "May 2025", 20, 26),
    )


def target_rows() -> tuple[TargetRow, ...]:
    months = (date(2025, 7, 1), date(2025, 8, 1), date(2025, 9, 1))

    def line(
        metric: MetricHead, value: float | None, cells: tuple[float | None, ...], adds: bool, **more: Any
    ) -> TargetRow:
        base: dict[str, Any] = {
            "metric": metric, "quarter": "2025-Q3", "value": value, "agreed_value": value, "growth": "",
            "months": tuple(TargetCell(m, v) for m, v in zip(months, cells, strict=True)), "adds_up": adds,
            "last_year": 83_000, "last_quarter": 84_100, "token": f"token-{metric.key}",
        }  # fmt: skip
        return TargetRow(**(base | more))

    return (
        line(head("weekly_orders", "Weekly orders delivered on time", role="north_star"), 92_000, (31_000, 31_000, 30_000), True),
        line(head("customers", "New customers"), 11_400, (3_700, 3_800, 3_800), True, agreed_value=11_000, last_year=9_700, last_quarter=10_200),
        line(head("on_time", "On-time share", unit="percent", goal_kind="level"), 0.94, (0.925, 0.93, 0.94), False, last_year=0.91, last_quarter=0.917),
        line(head("nps", "Net promoter score", unit="score", goal_kind="level"), None, (None, None, None), False, last_year=None, last_quarter=40),
    )  # fmt: skip
