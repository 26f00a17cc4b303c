"""Who is told of a step of the talk about a target: once, with the step, and never oneself."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import transaction

from metrics.models import Metric, TargetAnswer
from metrics.queries.agreements import waiting_for_owner
from metrics.services.agreements import accept, answer, decide
from metrics.services.apply import apply
from metrics.services.targets import set_target
from owners.models import Notice, Ownership, Role, User
from tests.people import Company, company

QUARTER = "2096-Q3"
JUL, AUG, SEP = date(2096, 7, 1), date(2096, 8, 1), date(2096, 9, 1)
FILE = """
metrics:
  calls: {name: Calls, by: [country], type: manual, kind: amount, grain: month%s}
"""
pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Company:
    """Alice owns calls, but Bob those of the UK; nobody those of Spain."""
    apply(FILE.replace("by: [country], ", "") % "", now=datetime(2026, 3, 10, tzinfo=UTC))
    made = company()
    Metric.objects.filter(key__startswith="for_").delete()
    Metric.objects.filter(key="calls").update(by=["country"])
    for member, leader in (("", "alice"), ("UK", "bob"), ("Spain", None)):
        Ownership.objects.create(
            metric_key="calls",
            from_date=date(2020, 1, 1),
            leader=made.leaders[leader] if leader else None,
            dimension="country" if member else "",
            member=member,
        )
    return made


def calls() -> Metric:
    return Metric.objects.get(key="calls")


def told(kind: str) -> list[object]:
    return [n.leader or n.user for n in Notice.objects.filter(kind=kind).order_by("pk")]


def test_a_proposal_is_told_to_its_owner_once(people: Company) -> None:
    set_target(calls(), QUARTER, 60, {}, author=people.executive, reason="A new client.")
    (notice,) = Notice.objects.all()
    assert (notice.kind, notice.leader) == ("target_proposed", people.leaders["alice"])
    assert "Calls" in notice.subject and "2096-Q3: 60, proposed by Executive" in notice.body
    assert "A new client." in notice.body
    assert (notice.path, notice.about) == ("/targets/2096-Q3/calls/", ["calls"])
    set_target(calls(), QUARTER, 60, {}, author=people.executive)  # the same again
    set_target(calls(), QUARTER, 60, {JUL: 10, AUG: 20, SEP: 30}, author=people.executive)  # only its months
    assert Notice.objects.count() == 1
    set_target(calls(), QUARTER, 70, {}, author=people.executive)
    assert told("target_proposed") == [people.leaders["alice"]] * 2


def test_no_notice_without_its_cause(people: Company) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        set_target(calls(), QUARTER, 60, {}, author=people.executive)
        raise RuntimeError
    assert not Notice.objects.exists() and not TargetAnswer.objects.exists()


def test_a_member_is_told_of_by_its_own_owner(people: Company) -> None:
    for member in ("UK", "Spain", "France"):
        set_target(calls(), QUARTER, 20, {}, author=people.executive, dimension="country", member=member)
    # Spain is left to nobody; France belongs to the metric's owner
    assert told("target_proposed") == [people.leaders["bob"], people.leaders["alice"]]
    assert [n.path for n in Notice.objects.all()] == ["/targets/2096-Q3/calls/?by=country"] * 2
    assert "Calls, UK" in Notice.objects.order_by("pk")[0].subject
    assert [t.member for t in waiting_for_owner(people.bob)] == ["UK"]
    assert [t.member for t in waiting_for_owner(people.alice)] == ["France"]


def test_nobody_is_told_of_what_they_did(people: Company) -> None:
    User.objects.filter(pk=people.alice.pk).update(role=Role.EXECUTIVE)
    alice = User.objects.get(pk=people.alice.pk)
    set_target(calls(), QUARTER, 60, {}, author=alice)
    answer(alice, calls(), QUARTER, 48, "Two people leave.")
    assert not told("target_proposed")
    assert told("target_answered") == [people.executive]
    decide(alice, calls(), QUARTER, take=True)
    assert not told("target_agreed")


def test_an_answer_goes_to_every_executive_and_a_decision_to_the_owner(people: Company) -> None:
    second = User.objects.create_user("second@example.com", "a-long-passphrase", role=Role.EXECUTIVE)
    User.objects.create_user("gone@example.com", "a-long-one", role=Role.EXECUTIVE, is_active=False)
    set_target(calls(), QUARTER, 60, {}, author=None)
    answer(people.alice, calls(), QUARTER, 48, "Two people leave.")
    assert told("target_answered") == [people.executive, second]
    decide(people.executive, calls(), QUARTER, take=True)
    assert told("target_agreed") == [people.leaders["alice"]]


def test_without_an_executive_the_admins_are_asked(people: Company) -> None:
    User.objects.filter(role=Role.EXECUTIVE).update(is_active=False)
    set_target(calls(), QUARTER, 60, {}, author=None)
    answer(people.alice, calls(), QUARTER, 48, "Two people leave.")
    assert told("target_answered") == [people.admin]


def test_who_proposed_hears_that_it_is_accepted(people: Company) -> None:
    set_target(calls(), QUARTER, 60, {}, author=people.analyst)
    accept(people.alice, calls(), QUARTER, text="Fine.")
    assert told("target_agreed") == [people.analyst]


def test_a_file_tells_as_a_page_does(people: Company) -> None:
    Metric.objects.filter(key="calls").update(by=[])
    at = datetime(2026, 3, 11, tzinfo=UTC)
    text = FILE.replace("by: [country], ", "")

    def state(target: str) -> None:
        apply(text % f", targets: {{{QUARTER}: {target}, 2020-Q1: 5}}", now=at)

    state("60")
    assert told("target_proposed") == [people.leaders["alice"]]  # and not of the quarter that is over
    assert "proposed by the definitions file" in Notice.objects.get().body
    state("60")
    assert Notice.objects.count() == 1
    state("70")
    assert told("target_proposed") == [people.leaders["alice"]] * 2
    accept(people.alice, calls(), QUARTER)
    state("{value: 80, reason: A new client}")
    changed = Notice.objects.get(kind="target_changed")
    assert changed.leader == people.leaders["alice"]
    assert "80, agreed 70. Changed by the definitions file: A new client" in changed.body


def test_a_file_that_names_the_owner_tells_them(people: Company) -> None:
    Metric.objects.filter(key="calls").update(by=[])
    text = FILE.replace("by: [country], ", "") % f", owner: bob, targets: {{{QUARTER}: 60}}"
    apply(text)
    assert told("target_proposed") == [people.leaders["bob"]]


@time_machine.travel(datetime(2026, 7, 10, 12, tzinfo=UTC), tick=False)
def test_of_a_quarter_that_is_over_nobody_is_asked(people: Company) -> None:
    set_target(calls(), "2026-Q2", 60, {}, author=people.executive)
    assert not Notice.objects.exists()
    set_target(calls(), "2026-Q3", 60, {}, author=people.executive)
    assert told("target_proposed") == [people.leaders["alice"]]
