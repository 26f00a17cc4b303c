"""Who may do what, asked of the table itself and of the filter that says the same in SQL."""

import re
from datetime import timedelta
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from metrics.models import Metric
from owners import rules
from owners.models import Leader, Ownership, Role, User
from owners.queries import ownership
from tests.people import Company, company, metric

pytestmark = pytest.mark.django_db

# Read off product.md's roles by hand: who may do what is not about an object.
BY_ROLE = {
    "metric.define": {"analyst", "admin"},
    "source.define": {"analyst", "admin"},
    "metric.write_sql": {"admin"},
    "metric.set_target": {"analyst", "executive", "admin"},
    "metric.set_owner": {"analyst", "executive", "admin"},
    "metric.decide_target": {"executive", "admin"},
    "metric.set_north_star": {"executive", "admin"},
    "metric.define_manual": {"analyst", "executive", "admin"},
    "metric.accept_deviation": {"executive", "admin"},
    "start.use": {"executive", "admin"},
    "figures.import": {"leader", "analyst", "executive", "admin"},
    "metric.recompute": {"analyst", "admin"},
    "leader.read": {"viewer", "leader", "analyst", "executive", "admin"},
    "installation.read": {"viewer", "leader", "analyst", "executive", "admin"},
    "action.add": {"leader", "analyst", "executive", "admin"},
    "machinery.read": {"leader", "analyst", "executive", "admin"},
    "people.read": {"executive", "admin"},
    "people.invite": {"executive", "admin"},
    "people.leaders": {"executive", "admin"},
    "people.manage": {"admin"},
    "audit.read": {"executive", "admin"},
    "warehouse.manage": {"admin"},
    "token.manage": {"admin"},
    "installation.manage": {"admin"},
}
# Of Alice's metrics: who sees one that is for everyone, for the team, for leadership.
SEES = {
    "alice": {"everyone", "team", "leadership"},
    "bob": {"everyone", "team"},
    "charlie": {"everyone"},
    "viewer": {"everyone"},
    "leader": {"everyone"},
    "analyst": {"everyone", "team", "leadership"},
    "executive": {"everyone", "team", "leadership"},
    "admin": {"everyone", "team", "leadership"},
}


@pytest.fixture
def people() -> Company:
    return company()


@pytest.mark.parametrize("permission", sorted(BY_ROLE))
def test_roles(people: Company, permission: str) -> None:
    allowed = {role for role in Role.values if rules.can(people.users[role], permission)}
    assert allowed == BY_ROLE[permission]


def test_every_permission_is_tested_and_in_the_table() -> None:
    of_objects = {"metric.read", "metric.enter_values", "metric.check_in", "metric.annotate"}
    assert set(rules.PERMISSIONS) == set(BY_ROLE) | of_objects | {
        "metric.agree_target",
        "leader.write_summary",
        "leader.set_leave",
        "metric.set_cadence",
        "action.edit",
        "token.revoke",
        "people.renew",
        "figures.take_back",
        "metric.dispute",
        "dispute.answer",
        "dispute.withdraw",
    }
    listed = set(
        re.findall(
            r"\b(?:metric|source|leader|action|machinery|audit|people|warehouse|token|installation|start"
            r"|figures|dispute)\.[a-z_]+",
            rules.__doc__ or "",
        )
    )
    assert listed == set(rules.PERMISSIONS)


def test_who_doubts_a_figure_and_who_answers(people: Company) -> None:
    """Of a figure of Alice's that is for leadership alone, which Charlie doubts and Bob's source feeds."""
    hidden = people.metrics["leadership"]
    doubted = SimpleNamespace(metric=hidden, keepers={"bob"}, author_id=people.charlie.pk)

    def allowed(permission: str, about: object) -> set[str]:
        return {name for name, user in people.users.items() if rules.can(user, permission, about)}

    assert allowed("metric.dispute", hidden) == {"alice", "analyst", "executive", "admin"}
    # neither Bob nor Charlie sees the metric
    assert allowed("dispute.answer", doubted) == {"analyst", "admin"}
    assert allowed("dispute.withdraw", doubted) == set()
    doubted.metric = people.metrics["everyone"]
    assert allowed("dispute.answer", doubted) == {"bob", "analyst", "admin"}
    assert allowed("dispute.withdraw", doubted) == {"charlie"}


def test_an_owner_alone_agrees_to_a_target(people: Company) -> None:
    for name, user in people.users.items():
        assert rules.can(user, "metric.agree_target", people.metrics["everyone"]) == (name == "alice")


def test_an_unknown_permission_is_an_error_not_a_no(people: Company) -> None:
    with pytest.raises(KeyError):
        rules.can(people.admin, "metric.raed")
    with pytest.raises(KeyError):
        rules.can(None, "metric.raed")


@pytest.mark.parametrize(("name", "visible"), list(product(SEES, ("everyone", "team", "leadership"))))
def test_visibility(people: Company, name: str, visible: str) -> None:
    user, seen = people.users[name], visible in SEES[name]
    shown = Metric.objects.filter(rules.visibility_filter(user), visible=visible).exists()
    assert (rules.can(user, "metric.read", people.metrics[visible]), shown) == (seen, seen)


def test_strangers_and_the_deactivated_see_nothing_and_may_nothing(people: Company) -> None:
    gone = people.admin
    gone.is_active = False
    for user in (AnonymousUser(), gone):
        assert not Metric.objects.filter(rules.visibility_filter(user)).exists()
        for permission in rules.PERMISSIONS:
            assert not rules.can(user, permission, people.metrics["everyone"]), permission


def test_the_system_may_everything(people: Company) -> None:
    assert all(rules.can(None, permission) for permission in rules.PERMISSIONS)
    assert Metric.objects.filter(rules.visibility_filter(None)).count() == 3


@pytest.mark.parametrize("permission", ["metric.enter_values", "metric.check_in"])
def test_only_the_owner_speaks_for_a_metric(people: Company, permission: str) -> None:
    allowed = {
        name for name, user in people.users.items() if rules.can(user, permission, people.metrics["everyone"])
    }
    assert allowed == {"alice"}


def test_notes_come_from_the_owner_and_from_analysts(people: Company) -> None:
    allowed = {
        name
        for name, user in people.users.items()
        if rules.can(user, "metric.annotate", people.metrics["everyone"])
    }
    assert allowed == {"alice", "analyst", "admin"}


def test_an_owner_who_is_only_a_viewer_reads(people: Company) -> None:
    people.alice.role = Role.VIEWER
    assert rules.can(people.alice, "metric.read", people.metrics["leadership"])
    assert not rules.can(people.alice, "metric.enter_values", people.metrics["everyone"])
    assert not rules.can(people.alice, "metric.check_in", people.metrics["everyone"])


def test_whoever_counts_enters_and_sees_but_does_not_speak(people: Company) -> None:
    counted = metric("nps", "alice", visible="leadership", type="manual", spec={"collect": {"by": "charlie"}})
    assert rules.can(people.charlie, "metric.enter_values", counted)
    assert rules.can(people.charlie, "metric.read", counted)
    assert not rules.can(people.charlie, "metric.check_in", counted)
    assert counted in Metric.objects.filter(rules.visibility_filter(people.charlie))
    assert counted not in Metric.objects.filter(rules.visibility_filter(people.bob))


@pytest.mark.parametrize("spec", [{}, {"collect": None}, {"collect": {}}, {"collect": {"by": None}}])
def test_nobody_counts_where_nobody_is_named(people: Company, spec: dict) -> None:
    people.leaders["charlie"].key = ""
    counted = metric("nps", "alice", spec=spec)
    assert not rules.can(people.charlie, "metric.enter_values", counted)


def test_a_former_and_a_future_owner_are_strangers(people: Company) -> None:
    today = timezone.localdate()
    key = people.metrics["team"].key
    Ownership.objects.create(metric_key=key, from_date=today, leader=people.leaders["charlie"])
    Ownership.objects.create(
        metric_key=key, from_date=today + timedelta(days=1), leader=people.leaders["bob"]
    )
    for name, now in (("alice", False), ("charlie", True), ("bob", False)):
        user = User.objects.get(pk=people.users[name].pk)
        assert rules.can(user, "metric.check_in", people.metrics["team"]) is now
        # The team in office today is Charlie's alone.
        assert rules.can(user, "metric.read", people.metrics["team"]) is now
        assert Metric.objects.filter(rules.visibility_filter(user), key=key).exists() is now


def test_a_vacant_metric_has_no_owner(people: Company) -> None:
    key = people.metrics["everyone"].key
    Ownership.objects.create(metric_key=key, from_date=timezone.localdate())
    assert ownership.owner_on(key, timezone.localdate()) is None
    assert not rules.can(people.alice, "metric.enter_values", people.metrics["everyone"])
    assert [(t.leader and t.leader.key) for t in ownership.history(key)] == ["alice", None]


def test_people_without_a_team_are_not_one_team(people: Company) -> None:
    Leader.objects.update(team=None)
    bob = User.objects.get(pk=people.bob.pk)
    assert not rules.can(bob, "metric.read", people.metrics["team"])
    assert not Metric.objects.filter(rules.visibility_filter(bob), visible="team").exists()


def test_one_writes_ones_own_summary(people: Company) -> None:
    alice = people.leaders["alice"]
    allowed = {n for n, user in people.users.items() if rules.can(user, "leader.write_summary", alice)}
    assert allowed == {"alice"}


def test_executives_send_on_leave_whom_they_like_others_themselves(people: Company) -> None:
    alice = people.leaders["alice"]
    allowed = {n for n, user in people.users.items() if rules.can(user, "leader.set_leave", alice)}
    assert allowed == {"alice", "executive", "admin"}


def test_whoever_owns_a_member_reads_and_no_more(people: Company) -> None:
    secret = people.metrics["leadership"]
    Ownership.objects.create(
        metric_key=secret.key,
        dimension="country",
        member="UK",
        from_date=timezone.localdate(),
        leader=people.leaders["charlie"],
    )
    assert rules.can(people.charlie, "metric.read", secret)
    seen = Metric.objects.filter(rules.visibility_filter(people.charlie), visible="leadership")
    assert list(seen) == [secret]
    for right in ("metric.check_in", "metric.enter_values", "metric.annotate"):
        assert not rules.can(people.charlie, right, secret)
    assert rules.can(people.alice, "metric.check_in", secret), "the whole stays Alice's"
    assert not rules.can(people.charlie, "metric.read", people.metrics["team"])


def test_require_says_what_was_refused(people: Company) -> None:
    with pytest.raises(PermissionDenied, match=r"metric\.set_target"):
        rules.require(people.viewer, "metric.set_target", people.metrics["everyone"])


def test_owners_of_many_metrics_in_one_statement(people: Company, django_assert_num_queries: Any) -> None:
    keys = [m.key for m in people.metrics.values()]
    with django_assert_num_queries(1):
        owners = ownership.owners_on([*keys, "unknown"], timezone.localdate())
        assert {key: leader.team and leader.team.key for key, leader in owners.items()} == dict.fromkeys(
            keys, "growth"
        )


def test_pages_ask_the_table_and_not_the_role() -> None:
    """A role compared in a page is a second table."""
    root = Path(__file__).parents[2]
    compared = re.compile(r"Role\.(VIEWER|LEADER|ANALYST|EXECUTIVE|ADMIN)\b|user\.role\b|\.role\s*[!=]=")
    asking = [*root.glob("*/views/*.py"), *root.glob("*/api/*.py"), root / "northstar/middleware.py"]
    assert len(asking) > 10
    for path in asking:
        assert not compared.search(path.read_text()), path
