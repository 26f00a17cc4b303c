"""Board, leader and metric pages as data: who sees what, what comes first, how many statements it takes."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.models import Disposition, Revision
from metrics.queries.board import board
from metrics.queries.leaders import leader_page, leaders
from metrics.queries.metric import metric_page
from metrics.queries.search import find
from metrics.queries.target_grid import target_grid
from owners.models import Action, CheckIn, Leader, Role, Summary, Team, User
from tests.metrics import making

pytestmark = pytest.mark.django_db
JULY = date(2011, 7, 1)
AUGUST_10 = date(2011, 8, 10)


@pytest.fixture
def company():
    """Four metrics, each with 41 days from 1 July and a plan of 100 a day: on, at risk, off and no target."""
    making.installation(timezone="Europe/London")
    making.source(date(2011, 8, 11))
    paces = {"star": 1.0, "slow": 0.93, "bad": 0.5, "free": 1.0, "guard": 1.2}
    made = {}
    for n, (key, pace) in enumerate(paces.items()):
        role = {"star": "north_star", "guard": "guardrail"}.get(key, "focus")
        made[key] = making.metric(key, role=role, position=n, lens="breadth" if key == "slow" else "")
        making.days(made[key], JULY, [100 * pace] * 41)
        for week in range(6):
            start = date(2011, 6, 27) + timedelta(days=7 * week)
            making.figure(made[key], "week", start, start + timedelta(days=7), 700 * pace + week)
        if key != "free":
            making.target(made[key], "2011-Q3", 9200, [3100, 3100, 3000])
    making.owner("star", "maya", date(2011, 1, 1))
    making.owner("slow", "maya", date(2011, 1, 1))
    making.owner("bad", "noor", date(2011, 1, 1))
    return made


def test_the_worst_comes_first_and_guardrails_last(company):
    found = board(None, quarter="2011-Q3", as_of=AUGUST_10)
    assert found.north_star and found.north_star.metric.key == "star"
    assert [r.metric.key for r in found.rows] == ["bad", "slow", "free"]
    assert [r.progress.status.state for r in found.rows] == ["off_track", "at_risk", "no_target"]
    assert [r.metric.key for r in found.guardrails] == ["guard"]
    assert found.label == "Q3 2011 (Jul–Sep)"


def test_the_own_rhythm_shows_the_last_whole_week_with_its_change(company):
    latest = board(None, quarter="2011-Q3", as_of=AUGUST_10).north_star.latest
    assert (latest.start, latest.end) == (date(2011, 8, 1), date(2011, 8, 8))
    assert latest.value == 705
    assert latest.change == pytest.approx(705 / 704 - 1)


def test_filters_narrow_the_list_and_not_the_north_star(company):
    Leader.objects.filter(key="noor").update(team=Team.objects.create(key="ops", name="Operations"))
    for how, keys in (
        ({"lens": "breadth"}, ["slow"]),
        ({"owner": "noor"}, ["bad"]),
        ({"team": "ops"}, ["bad"]),
    ):
        found = board(None, quarter="2011-Q3", as_of=AUGUST_10, **how)
        assert [r.metric.key for r in found.rows] == keys
        assert found.north_star is not None


def test_what_changed_since_last_week(company):
    """One metric was on plan until a week ago and fell; one month was restated; two people said nothing."""
    fallen = company["star"]
    making.Value.objects.filter(metric=fallen, grain="day", period_start__gt=date(2011, 8, 1)).update(value=0)
    Revision.objects.create(
        metric=company["bad"],
        grain="month",
        period_start=date(2011, 7, 1),
        period_end=date(2011, 8, 1),
        value=1,
        status="final",
        version=1,
        computed_at=making.COMPUTED,
        replaced_at=datetime(2011, 8, 9, tzinfo=UTC),
        cause="source",
    )
    noor = Leader.objects.get(key="noor")
    CheckIn.objects.create(metric_key="bad", leader=noor, date=date(2011, 8, 9), text="Courier shortage.")
    found = board(None, quarter="2011-Q3", as_of=AUGUST_10)
    assert found.since == date(2011, 8, 1)
    said = {c.kind: c for c in found.changes}
    assert said["worse"].names == ("Star",)
    assert said["worse"].text == "1 fell to off track"
    assert said["restated"].names == ("Bad",)
    assert set(said["missing"].names) == {"Star", "Slow"}
    assert set(said["unowned"].names) == {"Free", "Guard"}
    assert found.rows[0].words.text == "Courier shortage."


def test_a_team_metric_is_seen_by_its_team_alone(company):
    team = Team.objects.create(key="growth", name="Growth")
    maya = Leader.objects.get(key="maya")
    maya.team = team
    maya.save()
    company["slow"].visible = "team"
    company["slow"].save()
    company["bad"].visible = "leadership"
    company["bad"].save()
    mate = User.objects.create_user("mate@example.com", role=Role.LEADER)
    Leader.objects.create(key="mate", name="Mate", team=team, user=mate)
    stranger = User.objects.create_user("stranger@example.com", role=Role.VIEWER)
    boss = User.objects.create_user("boss@example.com", role=Role.EXECUTIVE)
    for user, keys in ((mate, {"slow", "free"}), (stranger, {"free"}), (boss, {"slow", "bad", "free"})):
        assert {r.metric.key for r in board(user, quarter="2011-Q3", as_of=AUGUST_10).rows} == keys
    assert metric_page(stranger, "slow", quarter="2011-Q3") is None
    assert metric_page(mate, "slow", quarter="2011-Q3") is not None
    assert find(stranger, "slow") == ()
    assert [name for _, name, _ in find(mate, "slow")] == ["Slow"]
    assert "bad" not in {row.metric.key for row in target_grid(stranger, "2011-Q3")}
    assert [r.metric.key for r in leader_page(stranger, "maya", quarter="2011-Q3", as_of=AUGUST_10).rows] == [
        "star"
    ]


def test_a_leaders_page_has_their_metrics_charts_and_words(company):
    maya = Leader.objects.get(key="maya")
    Summary.objects.create(leader=maya, quarter="2011-Q3", text="Steady.", needs="Two couriers.")
    Action.objects.create(text="Call the depot", leader=maya, metric_key="slow", due_date=AUGUST_10)
    page = leader_page(None, "maya", quarter="2011-Q3", as_of=AUGUST_10)
    assert [r.metric.key for r in page.rows] == ["slow", "star"]
    assert (page.summary, page.needs) == ("Steady.", "Two couriers.")
    assert [a.text for a in page.actions] == ["Call the depot"]
    chart = page.charts["star"]
    assert chart.actual[-1].at == AUGUST_10
    assert chart.actual[-1].value == pytest.approx(4100)
    assert chart.benchmarks == (
        (date(2011, 7, 31), 3100),
        (date(2011, 8, 31), 6200),
        (date(2011, 9, 30), 9200),
    )
    assert dict(chart.plan)[date(2011, 7, 31)] == pytest.approx(3100)
    assert leader_page(None, "nobody", quarter="2011-Q3") is None


def test_metrics_without_an_owner_stand_beside_the_leaders(company):
    found = leaders(None, quarter="2011-Q3", as_of=AUGUST_10)
    assert [c.person.name for c in found.cards] == ["Maya", "Noor"]
    assert {r.metric.key for r in found.unowned} == {"free", "guard"}


def test_a_signal_carries_what_it_was(company):
    star = company["star"]
    making.Value.objects.filter(metric=star, grain="week").delete()
    values = [100, 102, 99, 101, 100, 98, 101, 100, 102, 99, 160, 100, 101]
    for n, value in enumerate(values):
        start = date(2011, 5, 2) + timedelta(days=7 * n)
        making.figure(star, "week", start, start + timedelta(days=7), value)
    spike = date(2011, 5, 2) + timedelta(days=70)
    Disposition.objects.create(metric=star, grain="week", period_start=spike, text="A promotion")
    history = metric_page(None, "star", quarter="2011-Q3", as_of=AUGUST_10, grain="week").history
    ranges = [abs(b - a) for a, b in pairwise(values)]
    centre, step = sum(values) / len(values), sum(ranges) / len(ranges)
    assert history.limits.upper == pytest.approx(centre + 2.66 * step)
    assert history.limits.upper < 160
    found = next(s for s in history.signals if s.start == spike)
    assert "beyond_limit" in found.rules
    assert found.disposition == "A promotion"


def statements(page) -> int:
    with CaptureQueriesContext(connection) as seen:
        page()
    return len(seen)


@pytest.mark.parametrize(
    "page",
    [
        lambda: board(None, quarter="2011-Q3", as_of=AUGUST_10),
        lambda: leader_page(None, "maya", quarter="2011-Q3", as_of=AUGUST_10),
        lambda: leaders(None, quarter="2011-Q3", as_of=AUGUST_10),
        lambda: target_grid(None, "2011-Q3"),
        lambda: metric_page(None, "star", quarter="2011-Q3", as_of=AUGUST_10),
    ],
    ids=["board", "leader", "leaders", "targets", "metric"],
)
def test_statements_do_not_grow_with_the_metrics(company, page):
    before = statements(page)
    for n in range(5):
        made = making.metric(f"more_{n}")
        making.days(made, JULY, [5.0] * 41)
        making.target(made, "2011-Q3", 400)
        making.owner(made.key, "maya", date(2011, 1, 1))
        CheckIn.objects.create(
            metric_key=made.key, leader=Leader.objects.get(key="maya"), date=JULY, text="On it."
        )
    assert statements(page) == before


def test_a_late_source_says_so_with_who_was_told(company):
    ana = Leader.objects.create(key="ana", name="Ana Silva")
    making.Source.objects.update(late_since=timezone.now(), data_owner=ana)
    (banner,) = board(None, quarter="2011-Q3", as_of=AUGUST_10).banners
    assert banner == "The source orders is late: figures are as of Wed 10 Aug; Ana Silva has been told."
