"""Alice owns, Bob is on her team, Charlie is a stranger; and one account for each role beside them."""

from dataclasses import dataclass, field
from datetime import date

from metrics.models import Metric
from owners.models import Leader, Ownership, Role, Team, User

SINCE = date(2020, 1, 1)


@dataclass
class Company:
    """Accounts by name: alice, bob and charlie lead; viewer, leader, analyst, executive, admin are roles."""

    users: dict[str, User] = field(default_factory=dict)
    leaders: dict[str, Leader] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)

    def __getattr__(self, name: str) -> User:
        try:
            return self.__dict__["users"][name]
        except KeyError:
            raise AttributeError(name) from None


def company() -> Company:
    """Three leaders in two teams, five roles, and a metric of Alice's for each visibility. No passwords."""
    made = Company()
    growth = Team.objects.create(key="growth", name="Growth")
    support = Team.objects.create(key="support", name="Support")
    for name, team in (("alice", growth), ("bob", growth), ("charlie", support)):
        user = User.objects.create_user(f"{name}@example.com", name=name.title(), role=Role.LEADER)
        made.users[name] = user
        made.leaders[name] = Leader.objects.create(
            key=name, name=name.title(), email=user.email, team=team, user=user
        )
    for role in Role.values:
        made.users[role] = User.objects.create_user(f"{role}@example.com", name=role.title(), role=role)
    for position, visible in enumerate(("everyone", "team", "leadership")):
        made.metrics[visible] = metric(f"for_{visible}", "alice", visible=visible, position=position)
    return made


def metric(key: str, owner: str = "", **fields: object) -> Metric:
    """A metric with defaults; `owner` is a leader's key, in office since 2020."""
    values: dict[str, object] = {"name": key.replace("_", " ").capitalize(), "type": "simple", **fields}
    made = Metric.objects.create(key=key, **values)
    if owner:
        leader = Leader.objects.get(key=owner)
        Ownership.objects.create(metric_key=key, from_date=SINCE, leader=leader)
    return made
