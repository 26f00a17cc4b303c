"""Made-up answers of the queries, to draw pages and charts without a warehouse behind them."""

# ruff: noqa: E501 - one made-up line of figures reads better unbroken

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from calc.status import State, Status
from metrics.queries.shapes import (
    Board,
    Change,
    EntryCell,
    History,
    Latest,
    LeaderCard,
    LeaderPage,
    Limits,
    MetricHead,
    MetricPage,
    Neighbour,
    OwnerLine,
    Person,
    Point,
    Progress,
    QuarterChart,
    Restatement,
    Row,
    RunLine,
    Segment,
    Signal,
    SourceLine,
    TargetCell,
    TargetRow,
    Todo,
    VersionLine,
    Words,
)

NOW = datetime(2025, 8, 18, 9, 30, tzinfo=UTC)
START, END = date(2025, 7, 1), date(2025, 10, 1)
DUE = date(2025, 8, 17)
MAYA = Person("maya", "Maya Chen", "Head of Growth", "Growth")
TOM = Person("tom", "Tomás Oliveira", "Delivery Operations", "Operations")


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


def row(
    metric: MetricHead, state: State = State.ON_TRACK, said: str = "", todo: str = "", **changes: Any
) -> Row:
    level = changes.get("figure", 47_310) or 1
    return Row(
        progress=progress(metric, state, **changes),
        latest=Latest("week", date(2025, 8, 11), date(2025, 8, 18), level, 0.042, 0.118, False),
        spark=points(wave(level, level * 0.04, slope=level * 0.006)),
        words=Words(said, date(2025, 8, 14), "Maya Chen") if said else None,
        action=Todo(todo, "Tomás Oliveira", date(2025, 8, 28)) if todo else None,
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


def rows() -> tuple[Row, ...]:
    share = {"unit": "percent", "goal_kind": "level", "goal_grain": "month", "owner": TOM}
    july = {"period_start": date(2025, 7, 1), "period_end": date(2025, 8, 1)}
    return (
        row(
            head("on_time", "On-time share", lens="efficiency", **share), State.OFF_TRACK,
            "Two depots lost their night shift; temporary crews started on Monday.", "Hire for the Leeds depot",
            figure=0.9132, target=0.94, planned_to_date=0.925, gap=-0.0118,
            reason="1.2 points behind plan: 91.3 % against 92.5 % planned for Jul", **july,
        ),
        row(
            head("second_order", "Second order within 45 days", lens="", owner=None, **{k: v for k, v in share.items() if k != "owner"}),
            State.AT_RISK, figure=0.312, target=0.34, planned_to_date=0.325, gap=-0.013,
            reason="1.3 points behind plan: 31.2 % against 32.5 % planned for Jul", **july,
        ),
        row(
            head("success_plans", "Success plans done", lens="", manual=True, **share), State.LATE,
            figure=None, target=0.8, planned_to_date=0.75, gap=None, reason="the figure for Jul is due and missing",
        ),
        row(
            head("customers", "New customers", lens="breadth"), State.ON_TRACK,
            "The student offer brought 400 sign-ups in its first week.", figure=5_811, target=11_400,
            planned_to_date=5_730, gap=81, reason="1.4 % ahead of plan: 5 811 of 5 730 due by 17 Aug",
        ),
        row(
            head("aov", "Average order value", lens="depth", unit="currency:GBP", goal_kind="level", goal_grain="month"),
            State.ON_TRACK, figure=23.418, target=24.1, planned_to_date=23.3, gap=0.118,
            reason="£0.12 ahead of plan: £23.42 against £23.30 planned for Jul", **july,
        ),
        row(
            head("frequency", "Orders per active customer", unit="ratio", goal_kind="level", goal_grain="month"),
            State.TOO_EARLY, figure=2.41, target=2.5, planned_to_date=2.4, gap=0.01,
            reason="too early to judge, 12 % of the plan is due; 0.01 ahead of plan", **july,
        ),
        row(
            head("nps", "Net promoter score", unit="score", manual=True, goal_kind="level", goal_grain="month", lens=""),
            State.NO_TARGET, figure=41, target=None, planned_to_date=None, gap=None,
            reason="no target for this quarter", **july,
        ),
        row(
            head("minutes", "Minutes from order to door", unit="duration:minutes", better="down", lens="efficiency", goal_kind="level", goal_grain="month"),
            State.DISPUTED, figure=33.4, target=31, planned_to_date=32, gap=1.4,
            reason="Tomás: the clock of the new app starts early", **july,
        ),
    )  # fmt: skip


def guardrails() -> tuple[Row, ...]:
    refunds = head("refunds", "Refund share", role="guardrail", unit="percent", better="down", goal_kind="level", goal_grain="month", lens="")  # fmt: skip
    return (
        row(
            refunds, State.ON_TRACK, figure=0.0131, target=0.015, planned_to_date=0.015, gap=-0.0019,
            period_start=date(2025, 7, 1), period_end=date(2025, 8, 1),
            reason="holding: 1.3 % for Jul, to be held at 1.5 %, lower is better",
        ),
    )  # fmt: skip


def board() -> Board:
    north = head("weekly_orders", "Weekly orders delivered on time", role="north_star", lens="")
    return Board(
        quarter="2025-Q3",
        label="Q3 2025 (Jul–Sep)",
        previous="2025-Q2",
        following="2025-Q4",
        as_of=date(2025, 8, 18),
        since=date(2025, 8, 11),
        due_through=DUE,
        north_star=row(
            north, State.ON_TRACK, "A strong fortnight after the app release; Leeds still short of riders."
        ),
        north_star_chart=total_chart(north),
        rows=rows(),
        guardrails=guardrails(),
        settled=0,
        changes=(
            Change("worse", 1, "1 fell to at risk", ("Second order",), "/metrics/second_order/"),
            Change("better", 1, "1 recovered", ("New customers",), "/metrics/customers/"),
            Change("missing", 2, "2 check-ins missing", ("On-time share", "NPS"), "/leaders/tom/"),
            Change("restated", 1, "1 figure restated", ("Average order value",), "/metrics/aov/"),
        ),
        banners=("App events stopped on 15 Aug: figures that need them stand as of that day.",),
        lenses=("breadth", "depth", "frequency", "efficiency"),
        teams=(("growth", "Growth"), ("operations", "Operations")),
        owners=(("maya", "Maya Chen"), ("tom", "Tomás Oliveira")),
    )


def empty_board() -> Board:
    return replace(
        board(), north_star=None, north_star_chart=None, rows=(), guardrails=(), changes=(), banners=(), lenses=(),
        teams=(), owners=(), due_through=None,
    )  # fmt: skip


def leaders() -> tuple[LeaderCard, ...]:
    all_rows = rows()
    return (
        LeaderCard(MAYA, all_rows[3:6], ("enter Net promoter score for Jul",)),
        LeaderCard(
            TOM, all_rows[:3], ("enter Success plans done for Jul", "say what changed in On-time share")
        ),
        LeaderCard(Person("ana", "Ana Berg", "Data", ""), (), ()),
    )


def leader_page() -> LeaderPage:
    owned = rows()[:4]
    charts = {
        r.metric.key: (level_chart if r.metric.goal_kind == "level" else total_chart)(r.metric) for r in owned
    }
    return LeaderPage(
        TOM, "2025-Q3", "Q3 2025 (Jul–Sep)", date(2025, 8, 18),
        "We lost **two night shifts** in July.\n\n- Leeds: crews from Monday\n- York: back to normal\n",
        "Growth: hold the student offer in Leeds until September.", "Tomás Oliveira", NOW, owned, charts,
        ((owned[0].metric, Words("Two depots lost their night shift.", date(2025, 8, 14), "Tomás Oliveira", 0.6, "Hire")),),
        (Todo("Hire for the Leeds depot", "Tomás Oliveira", date(2025, 8, 28)),),
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


def metric_page() -> MetricPage:
    metric = head("weekly_orders", "Weekly orders delivered on time", role="north_star", lens="")
    return MetricPage(
        row=row(metric, State.ON_TRACK, "A strong fortnight after the app release."),
        chart=total_chart(metric),
        history=history(),
        quarters=(("Q3 2025 (Jul–Sep)", 47_310, None), ("Q2 2025 (Apr–Jun)", 42_700, 84_100), ("Q1 2025 (Jan–Mar)", 40_050, 79_400)),
        segments={
            "city": tuple(
                Segment(name, date(2025, 7, 1), 12_000.0 / (n + 1), 0.04 - n / 50, 0.1, points(wave(100, 8)))
                for n, name in enumerate(("London", "Leeds", "York", "Bath", "(other)"))
            )
        },
        drivers=(Neighbour("customers", "New customers", "influence", "1 month"),),
        drives=(),
        check_ins=(Words("A strong fortnight after the app release.", date(2025, 8, 14), "Maya Chen", 0.8, "Watch Leeds"),),
        owners=(OwnerLine(date(2025, 3, 1), "Maya Chen", "Knows Leeds.", "Ana Berg"), OwnerLine(date(2024, 1, 1), "vacant", "", "")),
        restatements=(
            Restatement(date(2025, 7, 7), date(2025, 7, 14), "week", "", 6_512, 6_540, NOW, "late_data"),
        ),
        versions=(
            VersionLine(2, NOW - timedelta(days=120), "Ana Berg", "cancelled orders left out", date(2025, 1, 6)),
            VersionLine(1, NOW - timedelta(days=400), "Ana Berg", "", None),
        ),
        runs=runs()[:2],
        entries=(),
        collect={},
        sql=(("day", "select date_trunc('day', ordered_at) as day, count(*)\nfrom orders\nwhere delivered_on_time\ngroup by 1"),),
        error="",
        held=(),
    )  # fmt: skip


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


def manual_page() -> MetricPage:
    metric = head(
        "success_plans", "Success plans done", unit="percent", manual=True, type="manual", goal_kind="level",
        goal_grain="month", grain="month", lens="",
    )  # fmt: skip
    base = metric_page()
    chosen = row(metric, State.LATE, figure=None, target=0.8, planned_to_date=0.75, gap=None, reason="the figure for Jul is due and missing")  # fmt: skip
    return replace(
        base, row=chosen, chart=level_chart(metric), history=History("month", points([0.7, 0.74, 0.77, 0.72], 30), None, (), ()),
        segments={}, entries=entries(), sql=(), drivers=(), restatements=(), runs=(), quarters=(),
        collect={"by": "Maya Chen", "every": "month", "due": "3 working days", "from": "CRM export, column F", "how": "Count plans closed."},
    )  # fmt: skip


def runs() -> tuple[RunLine, ...]:
    def line(id_: int, state: str, **more: Any) -> RunLine:
        base: dict[str, Any] = {
            "id": id_, "source": "orders", "state": state, "cause": "schedule", "window_start": date(2025, 8, 12),
            "window_end": date(2025, 8, 18), "created_at": NOW, "started_at": NOW, "finished_at": NOW, "seconds": 3.4,
            "rows_written": 1_240, "rows_changed": 38, "attempts": 1, "step": "", "error": "",
        }  # fmt: skip
        return RunLine(**(base | more))

    return (
        line(31, "running", finished_at=None, seconds=None, rows_written=None, rows_changed=None, step="asking the warehouse, 3 of 7"),
        line(30, "done"),
        line(29, "failed", attempts=3, error="orders: column delivered_at not found", rows_written=None, rows_changed=None),
        line(28, "due", started_at=None, finished_at=None, seconds=None, rows_written=None, rows_changed=None),
    )  # fmt: skip


def sources() -> tuple[SourceLine, ...]:
    return (
        SourceLine("orders", "kitchen", "duckdb", "fresh", date(2025, 8, 18), NOW, None, "Ana Berg", (("orders", "Orders"), ("aov", "Average order value")), ""),
        SourceLine("app_events", "kitchen", "duckdb", "late", date(2025, 8, 16), NOW, NOW, "Ana Berg", (("app", "App opens"),), ""),
        SourceLine("crm", "crm", "postgres", "failed", None, NOW, None, "", (), "connection refused: is the server running?"),
    )  # fmt: skip


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
