"""Who may do what, as one table. Pages, API and services ask `can` or `require`; nothing else decides.

| right | viewer | leader | analyst | executive | admin | object |
| --- | --- | --- | --- | --- | --- | --- |
| metric.read | visible | visible | all | all | all | see below |
| metric.enter_values | counted | own, counted | own, counted | own, counted | own, counted | metric |
| metric.check_in | | own | own | own | own | metric |
| metric.annotate | | own | all | own | all | metric |
| metric.dispute | counted | own, counted | all | all | all | metric |
| dispute.answer | kept | kept | all | kept | all | dispute |
| dispute.withdraw | raised | raised | raised | raised | raised | dispute |
| metric.accept_deviation | | | | yes | yes | metric |
| metric.define, source.define | | | yes | | yes | |
| metric.write_sql | | | | | yes | |
| metric.set_target, metric.set_owner | | | yes | yes | yes | |
| metric.agree_target | | owned | owned | owned | owned | metric, member |
| metric.decide_target | | | | yes | yes | metric |
| metric.set_north_star | | | | yes | yes | |
| metric.set_cadence | | own | yes | yes | yes | metric |
| metric.define_manual | | | yes | yes | yes | |
| start.use | | | | yes | yes | |
| figures.import | | yes | yes | yes | yes | |
| figures.take_back | theirs | theirs | theirs | theirs | theirs | import |
| metric.recompute | | | yes | | yes | |
| leader.read, installation.read | yes | yes | yes | yes | yes | |
| leader.write_summary | | self | self | self | self | leader |
| leader.set_leave | self | self | self | all | all | leader |
| action.add | | yes | yes | yes | yes | |
| action.edit | | concerned | concerned | yes | yes | action |
| machinery.read | | yes | yes | yes | yes | |
| people.read, people.invite, people.leaders, audit.read | | | | yes | yes | |
| people.renew | | | | invited | yes | person |
| token.revoke | own | own | own | own | all | token |
| people.manage, warehouse.manage, token.manage, installation.manage | | | | | yes | |

`own` is what one owns today, and what somebody owns who is on leave today and named one as delegate;
`counted` likewise what they, or such a person, collect. A delegate who is on leave as well stands in for
nobody, and no delegate sets targets, owners or the absent person's summary.

`invited` is whom one has invited oneself and who has not come yet, admins excepted.

`owned` is owned today by oneself: no delegate agrees to a target. That of a member is agreed to by the
member's owner, where it has one of its own.

Whoever owns a member of a metric (a country, a channel) reads the metric; to speak for it, to enter its
figures and to say what its signals were is the whole's owner's alone.

Every right on a metric implies that the metric is visible to that person. `visible: everyone` is everyone who
signed in; `team` is the team of today's owner, `leadership` nobody besides; both also the owner, the owners
of its members, whoever counts its figures, a delegate of the owner or the collector, and executives,
analysts and admins (who defines a figure could read it anyway).

A token lets a program do what its person may do at that moment; its scopes and metrics only narrow that.

An action concerns whoever is to do it and the owner of its metric; executives give actions to anybody. An
import is theirs who took its figures over; into which metrics is a matter of metric.enter_values.

Nobody but the owner and the collector gives a figure: an admin who must makes themself its owner, and that is
on record. A collector needs no role beyond viewer. Whoever is signed out or deactivated may do nothing.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils import timezone

from owners.models import Leader, Role, User
from owners.queries.leave import absent_pks, standing_in
from owners.queries.ownership import member_owner_on, owned_keys, owner_on, part_keys

Person = User | AnonymousUser | None

SEES_ALL = frozenset({Role.ANALYST, Role.EXECUTIVE, Role.ADMIN})


class MetricLike(Protocol):
    """What the rules need to know of a metric; `spec["collect"]["by"]` names a manual one's collector."""

    key: str
    visible: str


def leader_of(user: Person) -> Leader | None:
    """The leader that `user` is, read once per user object; None for the system, strangers and all others."""
    if not isinstance(user, User):
        return None
    try:
        return user.leader
    except ObjectDoesNotExist:
        return None


def collector_of(metric: MetricLike) -> str:
    """The key of the leader who counts a manual metric's figures; "" if nobody is named."""
    collect = (getattr(metric, "spec", None) or {}).get("collect") or {}
    return str(collect.get("by") or "")


def has_role(*roles: Role) -> rules.Predicate:
    """Whoever is signed in, active, and has one of these roles."""
    names = frozenset(roles)

    @rules.predicate(name="role:" + "|".join(sorted(names)))
    def test(user: Person) -> bool:
        return isinstance(user, User) and user.is_active and user.role in names

    return test


@rules.predicate
def owns(user: User, metric: MetricLike | None) -> bool:
    leader = leader_of(user)
    if leader is None or metric is None:
        return False
    return owner_on(metric.key, timezone.localdate()) == leader


@dataclass(frozen=True)
class TargetRef:
    """A metric whose target is talked about, or a member of it."""

    key: str
    visible: str
    dimension: str = ""
    member: str = ""

    @classmethod
    def of(cls, metric: MetricLike, dimension: str = "", member: str = "") -> "TargetRef":
        return cls(metric.key, metric.visible, dimension, member)


@rules.predicate
def answers_for(user: User, target: "TargetRef | MetricLike | None") -> bool:
    """The owner of the metric, or of the member that the target is for."""
    if not isinstance(target, TargetRef) or not target.member:
        return bool(owns.test(user, target))
    leader = leader_of(user)
    day = timezone.localdate()
    return leader is not None and leader == member_owner_on(target.key, target.dimension, target.member, day)


@rules.predicate
def counts(user: User, metric: MetricLike | None) -> bool:
    leader = leader_of(user)
    return leader is not None and metric is not None and collector_of(metric) == leader.key != ""


@rules.predicate
def stands_in(user: User, metric: MetricLike | None) -> bool:
    """Whoever is the delegate today of the metric's owner, who is on leave."""
    leader = leader_of(user)
    if leader is None or metric is None:
        return False
    today = timezone.localdate()
    absent = standing_in(leader, today)
    return bool(absent) and owner_on(metric.key, today) in absent


@rules.predicate
def counts_for(user: User, metric: MetricLike | None) -> bool:
    """Whoever is the delegate today of the metric's collector, who is on leave."""
    leader = leader_of(user)
    collector = collector_of(metric) if metric is not None else ""
    if leader is None or not collector:
        return False
    return collector in {absent.key for absent in standing_in(leader, timezone.localdate())}


@rules.predicate
def owns_a_part(user: User, metric: MetricLike | None) -> bool:
    """Whoever answers for a member of one of the metric's dimensions today."""
    leader = leader_of(user)
    if leader is None or metric is None:
        return False
    return part_keys(timezone.localdate(), pk=leader.pk).filter(metric_key=metric.key).exists()


@rules.predicate
def in_owners_team(user: User, metric: MetricLike | None) -> bool:
    leader = leader_of(user)
    if leader is None or leader.team_id is None or metric is None:
        return False
    owner = owner_on(metric.key, timezone.localdate())
    return owner is not None and owner.team_id == leader.team_id


@rules.predicate
def for_everyone(user: User, metric: MetricLike | None) -> bool:
    return metric is not None and metric.visible == "everyone"


@rules.predicate
def for_the_team(user: User, metric: MetricLike | None) -> bool:
    return metric is not None and metric.visible == "team"


@rules.predicate
def is_self(user: User, leader: Leader | None) -> bool:
    return leader is not None and leader_of(user) == leader


@rules.predicate
def concerned(user: User, action: Any) -> bool:
    """Whoever is to do an action (owners.models.Action, saved or not), and the owner of its metric."""
    leader = leader_of(user)
    if leader is None or action is None:
        return False
    if getattr(action, "leader_id", None) == leader.pk:
        return True
    key = getattr(action, "metric_key", "")
    return bool(key) and owner_on(key, timezone.localdate()) == leader


@rules.predicate
def waits_for(user: User, person: Any) -> bool:
    """Whoever invited a person (owners.models.User, owners.queries.people.Person) who has not come yet."""
    if not isinstance(user, User) or person is None or person.joined or person.role == Role.ADMIN:
        return False
    return person.invited_by_id is not None and person.invited_by_id == user.pk


@rules.predicate
def holds(user: User, token: Any) -> bool:
    """Whoever an API token (owners.models.ApiToken) speaks for."""
    return isinstance(user, User) and token is not None and token.user_id == user.pk


@rules.predicate
def took_over(user: User, made: Any) -> bool:
    """Whoever took an import's figures over (metrics.models.SheetImport)."""
    return made is not None and user.pk is not None and getattr(made, "author_id", None) == user.pk


signed_in = has_role(*Role)
writes = has_role(Role.LEADER, Role.ANALYST, Role.EXECUTIVE, Role.ADMIN)
sees_all = has_role(*SEES_ALL)
analyst = has_role(Role.ANALYST, Role.ADMIN)
steers = has_role(Role.ANALYST, Role.EXECUTIVE, Role.ADMIN)
executive = has_role(Role.EXECUTIVE, Role.ADMIN)
admin = has_role(Role.ADMIN)
concerns = owns | counts | stands_in | counts_for | owns_a_part
visible = signed_in & (sees_all | for_everyone | concerns | (for_the_team & in_owners_team))


@rules.predicate
def keeps(user: User, disputed: Any) -> bool:
    """Whoever keeps the data that the disputed figure is computed from."""
    leader = leader_of(user)
    return leader is not None and disputed is not None and leader.key in disputed.keepers


@rules.predicate
def raised(user: User, disputed: Any) -> bool:
    return disputed is not None and disputed.author_id == user.pk


@rules.predicate
def sees_disputed(user: User, disputed: Any) -> bool:
    return disputed is not None and bool(visible.test(user, disputed.metric))


disputed_visible = signed_in & sees_disputed

PERMISSIONS: dict[str, rules.Predicate] = {
    "metric.read": visible,
    "metric.enter_values": signed_in & ((writes & (owns | stands_in)) | counts | counts_for),
    "metric.check_in": writes & (owns | stands_in),
    "metric.annotate": writes & (owns | stands_in | analyst),
    "metric.accept_deviation": executive,
    "metric.dispute": signed_in & (steers | (writes & (owns | stands_in)) | counts | counts_for),
    "dispute.answer": disputed_visible & (keeps | analyst),
    "dispute.withdraw": disputed_visible & raised,
    "metric.define": analyst,
    "metric.write_sql": admin,
    "metric.set_target": steers,
    "metric.set_owner": steers,
    "metric.agree_target": writes & answers_for,
    "metric.decide_target": executive,
    "metric.set_north_star": executive,
    "metric.set_cadence": writes & (owns | stands_in | steers),
    "metric.define_manual": steers,
    "start.use": executive,
    "figures.import": writes,
    "figures.take_back": signed_in & took_over,
    "metric.recompute": analyst,
    "source.define": analyst,
    "leader.read": signed_in,
    "leader.write_summary": writes & is_self,
    "leader.set_leave": (signed_in & is_self) | executive,
    "action.add": writes,
    "action.edit": writes & (concerned | executive),
    "machinery.read": writes,
    "people.read": executive,
    "people.invite": executive,
    "people.leaders": executive,
    "people.renew": admin | (executive & waits_for),
    "people.manage": admin,
    "audit.read": executive,
    "warehouse.manage": admin,
    "token.manage": admin,
    "token.revoke": signed_in & (holds | admin),
    "installation.read": signed_in,
    "installation.manage": admin,
}

for _name, _predicate in PERMISSIONS.items():
    rules.set_perm(_name, _predicate)


def can(user: Person, permission: str, obj: Any = None) -> bool:
    """Whether `user` (None: the system itself) may do `permission`, to `obj` if it is about one.

    Rights on an own metric or on oneself are refused without an object. Reads today's owner, and who is on
    leave: how many statements depends on the right alone. Raises KeyError for a permission that is not in
    the table.
    """
    predicate = PERMISSIONS[permission]
    return user is None or bool(predicate.test(user, obj))


def require(user: Person, permission: str, obj: Any = None) -> None:
    """Raises PermissionDenied unless `can`."""
    if not can(user, permission, obj):
        raise PermissionDenied(f"{user} may not do {permission}" + (f" to {obj}" if obj is not None else ""))


def visibility_filter(user: Person) -> Q:
    """`metric.read` as a filter on a queryset of metrics; part of the same statement, nothing is read here
    but who `user` leads (once per user object)."""
    if user is None:
        return Q()
    if not isinstance(user, User) or not user.is_active:
        return Q(pk__in=[])
    if user.role in SEES_ALL:
        return Q()
    seen = Q(visible="everyone")
    leader = leader_of(user)
    if leader is not None:
        today = timezone.localdate()
        absent = absent_pks(leader, today)
        counted = Leader.objects.filter(pk__in=absent, key=_collector(OuterRef("spec")))
        seen |= Q(spec__collect__by=leader.key) | Q(Exists(counted))
        seen |= Q(key__in=owned_keys(today, pk=leader.pk)) | Q(key__in=owned_keys(today, pk__in=absent))
        seen |= Q(key__in=part_keys(today, pk=leader.pk))
        if leader.team_id is not None:
            seen |= Q(visible="team", key__in=owned_keys(today, team=leader.team_id))
    return seen


def _collector(spec: OuterRef) -> KeyTextTransform:
    """`collector_of` in SQL; null where nobody is named."""
    return KeyTextTransform("by", KeyTransform("collect", spec))
