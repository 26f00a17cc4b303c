"""Who may do what, as one table. Pages, API and services ask `can` or `require`; nothing else decides.

| right | viewer | leader | analyst | executive | admin | object |
| --- | --- | --- | --- | --- | --- | --- |
| metric.read | visible | visible | all | all | all | see below |
| metric.enter_values | counted by them | own, counted | own, counted | own, counted | own, counted | metric |
| metric.check_in | | own | own | own | own | metric |
| metric.annotate | | own | all | own | all | metric |
| metric.define, source.define | | | yes | | yes | |
| metric.write_sql | | | | | yes | |
| metric.set_target, metric.set_owner | | | yes | yes | yes | |
| metric.set_north_star | | | | yes | yes | |
| metric.recompute | | | yes | | yes | |
| leader.read, installation.read | yes | yes | yes | yes | yes | |
| leader.write_summary | | self | self | self | self | leader |
| action.add | | yes | yes | yes | yes | |
| action.edit | | concerned | concerned | concerned | concerned | action |
| machinery.read | | yes | yes | yes | yes | |
| people.read, people.invite, audit.read | | | | yes | yes | |
| people.manage, warehouse.manage, token.manage, installation.manage | | | | | yes | |

Every right on a metric implies that the metric is visible to that person. `visible: everyone` is everyone who
signed in; `team` is the team of today's owner, `leadership` nobody besides; both also the owner, whoever
counts its figures, and executives, analysts and admins (who defines a figure could read it anyway).

An action concerns whoever is to do it and the owner of its metric.

Nobody but the owner and the collector gives a figure: an admin who must makes themself its owner, and that is
on record. A collector needs no role beyond viewer. Whoever is signed out or deactivated may do nothing.
"""

from typing import Any, Protocol

import rules
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Q
from django.utils import timezone

from owners.models import Leader, Role, User
from owners.queries.ownership import owned_keys, owner_on

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


@rules.predicate
def counts(user: User, metric: MetricLike | None) -> bool:
    leader = leader_of(user)
    return leader is not None and metric is not None and collector_of(metric) == leader.key != ""


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


signed_in = has_role(*Role)
writes = has_role(Role.LEADER, Role.ANALYST, Role.EXECUTIVE, Role.ADMIN)
sees_all = has_role(*SEES_ALL)
analyst = has_role(Role.ANALYST, Role.ADMIN)
steers = has_role(Role.ANALYST, Role.EXECUTIVE, Role.ADMIN)
executive = has_role(Role.EXECUTIVE, Role.ADMIN)
admin = has_role(Role.ADMIN)
visible = signed_in & (sees_all | for_everyone | owns | counts | (for_the_team & in_owners_team))

PERMISSIONS: dict[str, rules.Predicate] = {
    "metric.read": visible,
    "metric.enter_values": signed_in & ((writes & owns) | counts),
    "metric.check_in": writes & owns,
    "metric.annotate": writes & (owns | analyst),
    "metric.define": analyst,
    "metric.write_sql": admin,
    "metric.set_target": steers,
    "metric.set_owner": steers,
    "metric.set_north_star": executive,
    "metric.recompute": analyst,
    "source.define": analyst,
    "leader.read": signed_in,
    "leader.write_summary": writes & is_self,
    "action.add": writes,
    "action.edit": writes & concerned,
    "machinery.read": writes,
    "people.read": executive,
    "people.invite": executive,
    "people.manage": admin,
    "audit.read": executive,
    "warehouse.manage": admin,
    "token.manage": admin,
    "installation.read": signed_in,
    "installation.manage": admin,
}

for _name, _predicate in PERMISSIONS.items():
    rules.set_perm(_name, _predicate)


def can(user: Person, permission: str, obj: Any = None) -> bool:
    """Whether `user` (None: the system itself) may do `permission`, to `obj` if it is about one.

    Rights on an own metric or on oneself are refused without an object. Reads today's owner: at most two
    statements. Raises KeyError for a permission that is not in the table.
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
        seen |= Q(spec__collect__by=leader.key) | Q(key__in=owned_keys(today, pk=leader.pk))
        if leader.team_id is not None:
            seen |= Q(visible="team", key__in=owned_keys(today, team=leader.team_id))
    return seen
