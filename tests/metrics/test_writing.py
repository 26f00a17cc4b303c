"""Figures are written once, kept when replaced, and refused when they are none."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calc.calendar import Calendar
from metrics.models import Metric, Revision, Value
from metrics.services.incoming import Draft, Reach, Scope
from metrics.services.plausibility import Plausible
from metrics.services.writing import Touched, settle, status_of, write

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
FIRST = date(2026, 3, 1)
LONDON = Calendar("Europe/London")


@pytest.fixture
def metric() -> Metric:
    return Metric.objects.create(key="orders", name="Orders", type="simple")


def draft(metric: Metric, day: date, value: object, **other: object) -> Draft:
    fields = {
        "grain": "day",
        "end": day + timedelta(days=1),
        "dimension": "",
        "member": "",
        "numerator": None,
        "denominator": None,
        "immature": None,
        "status": "final",
        "version": 1,
    } | other
    return Draft(metric=metric.id, start=day, value=value, **fields)


def put(metric: Metric, *drafts: Draft, **other):
    fields = {
        "scopes": [Scope(metric.id, "day", "", FIRST, FIRST + timedelta(days=31))],
        "now": NOON,
        "calendar": LONDON,
        "cause": "late_data",
        "reach": {metric.id: Reach(date(2026, 3, 9), date(2026, 3, 10))},
    } | other
    with transaction.atomic():
        return write(drafts, **fields)


def figures() -> dict[date, float | None]:
    return dict(Value.objects.filter(grain="day", dimension="").values_list("period_start", "value"))


def test_writing_the_same_twice_changes_nothing(metric: Metric) -> None:
    days = [draft(metric, FIRST + timedelta(days=n), 10.0 + n) for n in range(5)]
    first = put(metric, *days)
    assert (first.rows, first.changed, len(first.touched)) == (5, 5, 5)
    before = list(Value.objects.order_by("id").values())
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text FROM metrics_value")
        places = cursor.fetchall()
    again = put(metric, *days, now=NOON + timedelta(days=1))
    assert (again.rows, again.changed, again.touched) == (5, 0, set())
    assert list(Value.objects.order_by("id").values()) == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text FROM metrics_value")
        assert cursor.fetchall() == places  # not even rewritten in place
    assert not Revision.objects.exists()


def test_noise_in_the_last_digits_is_no_change(metric: Metric) -> None:
    put(metric, draft(metric, FIRST, 0.1 + 0.2))
    assert put(metric, draft(metric, FIRST, 0.3)).changed == 0
    assert put(metric, draft(metric, FIRST, 0.3 * (1 + 1e-9))).changed == 1
    assert put(metric, draft(metric, FIRST, None)).changed == 1
    assert put(metric, draft(metric, FIRST, None)).changed == 0
    assert put(metric, draft(metric, FIRST, 0.0)).changed == 1  # unknown is not 0


def test_an_ended_period_keeps_what_it_was_with_the_cause(metric: Metric) -> None:
    put(metric, draft(metric, FIRST, 10.0, numerator=20.0, denominator=2.0))
    put(metric, draft(metric, FIRST, 11.0, numerator=22.0, denominator=2.0), now=NOON + timedelta(minutes=1))
    put(metric, draft(metric, FIRST, 12.0, version=2), now=NOON + timedelta(minutes=2))
    old = Revision.objects.order_by("id")
    assert [(r.value, r.numerator, r.cause, r.version) for r in old] == [
        (10.0, 20.0, "late_data", 1),
        (11.0, 22.0, "definition", 1),
    ]
    assert old[0].computed_at == NOON
    assert old[0].replaced_at == old[1].computed_at == NOON + timedelta(minutes=1)
    assert figures() == {FIRST: 12.0}


def test_an_open_period_keeps_the_last_figure_of_each_local_day(metric: Metric) -> None:
    """23:30 UTC in summer is the next day in London."""
    day = date(2026, 7, 20)
    window = {
        "scopes": [Scope(metric.id, "day", "", day, day + timedelta(days=1))],
        "reach": {metric.id: Reach(day, day)},
    }
    moments = [
        datetime(2026, 7, 20, 9, tzinfo=UTC),
        datetime(2026, 7, 20, 17, tzinfo=UTC),
        datetime(2026, 7, 20, 23, 30, tzinfo=UTC),
        datetime(2026, 7, 21, 8, tzinfo=UTC),
        datetime(2026, 7, 22, 8, tzinfo=UTC),
    ]
    for n, moment in enumerate(moments):
        put(metric, draft(metric, day, float(n), status="provisional"), now=moment, **window)
    kept = Revision.objects.order_by("id").values_list("value", "computed_at", "replaced_at", "cause")
    assert list(kept) == [(1.0, moments[1], moments[2], "open"), (3.0, moments[3], moments[4], "open")]


def test_a_figure_that_is_no_longer_produced_goes_and_leaves_a_revision(metric: Metric) -> None:
    put(metric, draft(metric, FIRST, 10.0), draft(metric, FIRST + timedelta(days=1), 5.0))
    outside = Value.objects.create(
        metric=metric,
        grain="day",
        period_start=date(2026, 2, 28),
        period_end=FIRST,
        value=1.0,
        status="final",
        version=1,
        computed_at=NOON,
    )
    gone = put(metric, draft(metric, FIRST, 10.0))
    assert gone.changed == 1
    assert gone.touched == {
        Touched(metric.id, "day", date(2026, 3, 2), date(2026, 3, 3)),
    }
    assert figures() == {outside.period_start: 1.0, FIRST: 10.0}
    assert Revision.objects.get().value == 5.0


def test_status_and_version_alone_are_kept_as_no_change_of_the_figure(metric: Metric) -> None:
    put(metric, draft(metric, FIRST, 10.0, status="provisional"))
    settled = put(metric, draft(metric, FIRST, 10.0, version=2), now=NOON + timedelta(days=1))
    assert (settled.changed, len(settled.touched)) == (0, 1)  # dependents learn that it is final
    stored = Value.objects.get()
    assert (stored.status, stored.version, stored.computed_at) == ("final", 2, NOON)
    (was,) = Revision.objects.all()
    assert (was.cause, was.status, was.version, was.computed_at) == ("status", "provisional", 1, NOON)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "12", "n/a", b"1", True, 10**400])
def test_what_is_no_number_is_refused_by_name_and_the_others_are_written(metric: Metric, bad: object) -> None:
    other = Metric.objects.create(key="revenue", name="Revenue", type="simple")
    put(metric, draft(metric, FIRST, 10.0))
    written = put(
        metric,
        draft(metric, FIRST, bad),
        draft(metric, FIRST + timedelta(days=1), 11.0),
        draft(other, FIRST, 3.0),
        scopes=[Scope(m.id, "day", "", FIRST, FIRST + timedelta(days=31)) for m in (metric, other)],
    )
    assert list(written.refused) == [metric.id]
    assert "number" in written.refused[metric.id]
    assert "2026-03-01" in written.refused[metric.id]
    assert dict(Value.objects.values_list("metric__key", "value")) == {"orders": 10.0, "revenue": 3.0}


def test_two_figures_for_one_period_are_refused_not_doubled(metric: Metric) -> None:
    put(metric, draft(metric, FIRST, 10.0))
    written = put(metric, draft(metric, FIRST, 11.0), draft(metric, FIRST, 11.0))
    assert "2 figures" in written.refused[metric.id]
    assert figures() == {FIRST: 10.0}


@pytest.mark.parametrize("member", ["a\x00b", "x" * 201])
def test_a_member_that_cannot_be_kept_is_refused(metric: Metric, member: str) -> None:
    written = put(metric, draft(metric, FIRST, 1.0, dimension="country", member=member))
    assert metric.id in written.refused


def test_implausible_figures_are_held_and_the_last_good_one_stays(metric: Metric) -> None:
    put(metric, draft(metric, FIRST, 10.0))
    bounds = {metric.id: Plausible(low=0, high=100, max_change=0.6)}
    for value, words in ((-1.0, "below"), (101.0, "above"), (17.0, "a change of 70%")):
        written = put(metric, draft(metric, FIRST, value), plausible=bounds)
        (held,) = written.held[metric.id]
        assert words in held.reason
        assert figures() == {FIRST: 10.0}
        assert not written.touched
    assert put(metric, draft(metric, FIRST, 16.0), plausible=bounds).changed == 1
    checked = Plausible(max_change=0.6, accepted=(("day", FIRST, FIRST + timedelta(days=1), 99.0),))
    assert put(metric, draft(metric, FIRST, 99.0), plausible={metric.id: checked}).changed == 1


def test_a_period_that_just_ended_is_held_against_the_one_before(metric: Metric) -> None:
    bounds = {metric.id: Plausible(max_change=0.6)}
    week = FIRST + timedelta(days=7)
    first_load = put(
        metric, draft(metric, FIRST, 10.0), plausible=bounds, reach={metric.id: Reach(None, date(2026, 3, 8))}
    )
    assert not first_load.held
    reach = {metric.id: Reach(date(2026, 3, 8), date(2026, 3, 9))}
    both = [draft(metric, FIRST, 10.0), draft(metric, week, 2.0)]
    assert "the period before" in put(metric, *both, plausible=bounds, reach=reach).held[metric.id][0].reason
    assert figures() == {FIRST: 10.0}
    still_open = {metric.id: Reach(date(2026, 3, 8), date(2026, 3, 8))}
    assert not put(metric, *both, plausible=bounds, reach=still_open).held


def test_settling_makes_final_what_the_watermark_has_passed(metric: Metric) -> None:
    put(
        metric,
        draft(metric, FIRST, 1.0, status="provisional"),
        draft(metric, FIRST + timedelta(days=1), 2.0, status="provisional", immature=3),
        draft(metric, FIRST + timedelta(days=2), 3.0, status="provisional"),
    )
    touched = settle({metric.id: date(2026, 3, 3)}, NOON + timedelta(hours=1))
    assert {t.start for t in touched} == {FIRST}
    assert list(Value.objects.order_by("period_start").values_list("status", flat=True)) == [
        "final",
        "provisional",
        "provisional",
    ]
    assert status_of(date(2026, 3, 2), date(2026, 3, 2)) == "final"
    assert status_of(date(2026, 3, 2), date(2026, 3, 2), 1) == "provisional"
    assert status_of(date(2026, 3, 2), None) == "provisional"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(st.integers(0, 6), st.one_of(st.none(), st.integers(0, 3).map(float)), max_size=7),
        min_size=1,
        max_size=5,
    )
)
def test_values_and_revisions_tell_the_whole_story(metric: Metric, states: list[dict]) -> None:
    """Against a plain dictionary: after each write the table is the newest state, and each moment can be read
    back from values and revisions."""
    Value.objects.all().delete()
    Revision.objects.all().delete()
    reach = {metric.id: Reach(date(2027, 1, 1), date(2027, 1, 1))}
    for n, state in enumerate(states):
        put(
            metric,
            *(draft(metric, FIRST + timedelta(days=day), value) for day, value in state.items()),
            now=NOON + timedelta(hours=n),
            reach=reach,
        )
    for n, state in enumerate(states):
        at = NOON + timedelta(hours=n)
        then = {
            v.period_start: v.value
            for table in (
                Value.objects.filter(computed_at__lte=at),
                Revision.objects.filter(computed_at__lte=at, replaced_at__gt=at),
            )
            for v in table
        }
        assert then == {FIRST + timedelta(days=day): value for day, value in state.items()}
