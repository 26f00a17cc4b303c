"""Questions about metrics are answered within what the asker may see, also where today only people ask who
see everything: the next page that asks them need not think of it."""

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime

import pytest
from django.template import Context
from django.test import RequestFactory

from calc.calendar import Calendar
from metrics.models import Driver, Metric, Target
from metrics.queries import automate, calibration, machinery, members, progress, rollover, sources, start
from metrics.queries.metric import metric_page
from metrics.queries.sheet_imports import enterable
from metrics.services import digests
from metrics.templatetags.words import metric_names
from owners.models import CheckIn, Leader, Notice, Ownership, User
from tests.metrics import making
from tests.people import Company, company

DAY = date(2026, 9, 21)
KEYS = {"for_everyone", "for_team", "for_leadership"}


@pytest.fixture
def people(db: None) -> Company:
    made = company()
    making.installation()
    making.source(None)
    for metric in made.metrics.values():
        metric.spec, metric.unit, metric.role = dict(making.COUNT), "count", "focus"
        metric.save()
        Target.objects.create(metric=metric, quarter="2026-Q3", value=9.0)
    return made


def keys(metrics: Collection[Metric]) -> set[str]:
    return {metric.key for metric in metrics}


def digest(user: User, company: Company) -> set[str]:
    """The names in the digest, while nobody owns anything."""
    Ownership.objects.all().delete()
    notice = Notice(user=user, kind="digest")
    words = digests.words(notice, datetime(2026, 9, 21, 8, tzinfo=UTC))
    return {m.key for m in company.metrics.values() if words and m.name in words.body}


def judged(user: User, company: Company) -> set[str]:
    """Whose past confidences stand on the page of somebody who was confident of all three."""
    leader = user.leader if hasattr(user, "leader") else Leader.objects.create(key="admin", user=user)
    for key in KEYS:
        CheckIn.objects.create(
            metric_key=key, leader=leader, date=date(2026, 8, 3), text="x", confidence=0.5, author=user
        )
    page = calibration.calibration_page(user, today=date(2026, 11, 2))
    return {forecast.metric for forecast in page.forecasts}


ASKED: dict[str, Callable[[User, Company], set[str]]] = {
    "candidates": lambda u, c: keys(automate.candidates(u, making.manual("by_hand", unit="count"))),
    "progress": lambda u, c: keys([one.metric for one in progress.progress(u, "2026-Q3", as_of=DAY)]),
    "proposals": lambda u, c: keys([p.metric for p in rollover.proposals(u, "2026-Q4", Calendar(), DAY)]),
    "metrics of a source": lambda u, c: {key for key, _ in sources.metrics_of(u, "orders")},
    "lines of sources": lambda u, c: {k for line in machinery.sources(u) for k, _ in line.metrics},
    "aims": lambda u, c: keys([aim.metric for aim in start.aims(u, "2026-Q4", Calendar(), DAY)]),
    "confidences": judged,
    "digest": digest,
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_strangers_get_what_they_may_see(people: Company, asked: Callable[[User, Company], set[str]]) -> None:
    for metric in people.metrics.values():
        making.month(metric, 2026, 7, 3.0)
    stranger = User.objects.get(pk=people.charlie.pk)
    assert asked(stranger, people) & KEYS == {"for_everyone"}
    Metric.objects.filter(key="by_hand").delete()
    assert asked(people.admin, people) & KEYS == KEYS


def test_a_page_names_no_neighbour_that_its_reader_may_not_see(people: Company) -> None:
    shown, hidden = people.metrics["everyone"], people.metrics["leadership"]
    Driver.objects.create(metric=shown, driver=hidden)
    Driver.objects.create(metric=hidden, driver=shown)
    for user, sees in ((people.charlie, ()), (people.alice, ("for_leadership",))):
        page = metric_page(user, "for_everyone", as_of=DAY)
        assert page is not None
        assert tuple(n.metric for n in page.drivers) == tuple(n.metric for n in page.drives) == sees


def test_members_of_a_metric_are_told_to_its_readers(people: Company) -> None:
    bob = people.leaders["bob"]
    for key in sorted(KEYS):
        Ownership.objects.create(
            metric_key=key, from_date=date(2026, 1, 1), leader=bob, dimension="city", member="Ulm"
        )
    for user, sees in ((people.charlie, {"for_everyone"}), (people.bob, KEYS)):
        assert {line.key for line in members.parts_of(user, bob, Calendar(), DAY)} == sees


def test_figures_are_entered_for_ones_own_metrics(people: Company) -> None:
    Metric.objects.update(type="manual", spec={"kind": "amount", "grain": "month"})
    for user, theirs in ((people.charlie, set()), (people.admin, set()), (people.alice, KEYS)):
        assert keys(enterable(user)) == theirs


def test_templates_know_the_names_that_their_reader_may_see(people: Company) -> None:
    for user, sees in ((people.charlie, {"for_everyone"}), (people.alice, KEYS)):
        request = RequestFactory().get("/")
        request.user = user
        assert metric_names(Context({"request": request})).keys() == sees
