"""The screens of targets, leaders and invitations: lines of fields, each read into what a service takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from calc.numbers import gap, is_share, short
from metrics.forms.numbers import read_plan, same_number, write_number
from metrics.forms.start_metrics import GRAINS, KINDS, UNITS
from metrics.forms.targets import NEAR
from metrics.models import Metric
from metrics.queries.start import Aim, Guest
from metrics.services.manual_metrics import Counted, counted_of, token_of
from metrics.services.starting import Charge, Person
from owners.models import Leader, Role

NEW_LINES = 3
EMPTY_GUESTS = 2


@dataclass(frozen=True)
class AimLine:
    """A metric's target and months as typed (or stored), and as numbers. proposed: the months were left empty
    and are worked out."""

    aim: Aim
    target_text: str
    months: tuple[tuple[date, str], ...]
    token: str
    target: float | None = None
    benchmarks: Mapping[date, float] = field(default_factory=dict)
    changed: bool = False
    proposed: bool = False
    error: str = ""

    @property
    def key(self) -> str:
        return self.aim.metric.key


def read_aims(aims: Sequence[Aim], typed: Mapping[str, str] | None) -> list[AimLine]:
    """One line a metric; None is as stored. A target whose months are empty gets those that are proposed."""
    return [_aim(aim, typed) for aim in aims]


def _aim(aim: Aim, typed: Mapping[str, str] | None) -> AimLine:
    key, share = aim.metric.key, is_share(aim.metric.unit)
    stored = write_number(aim.post.value, share=share)
    months = tuple((m, write_number(aim.post.benchmarks.get(m), share=share)) for m in aim.months)
    shown = AimLine(aim, stored, months, aim.post.token, aim.post.value, aim.post.benchmarks)
    if typed is None or f"target-{key}" not in typed:
        return shown
    text = typed.get(f"target-{key}", "").strip()[:60]
    texts = tuple((m, typed.get(f"month-{key}-{m:%Y-%m}", "").strip()[:60]) for m in aim.months)
    token = typed.get(f"token-{key}", "")[:80]
    pairs = zip((text, *(said for _, said in texts)), (stored, *(said for _, said in months)), strict=True)
    if all(same_number(said, was) for said, was in pairs):
        return shown
    try:
        target = read_plan(text, share=share)
        values = {m: read_plan(said, share=share) for m, said in texts}
    except ValueError as wrong:
        return AimLine(aim, text, texts, token, changed=True, error=str(wrong))
    given = {m: value for m, value in values.items() if value is not None}
    proposed = target is not None and not given
    if target is not None and proposed:
        given = aim.proposal(target)
        texts = tuple((m, write_number(float(f"{given[m]:.12g}"), share=share)) for m in aim.months)
    error = _wrong(aim, target, given)
    return AimLine(aim, text, texts, token, target, given, True, proposed, error)


def _wrong(aim: Aim, target: float | None, given: Mapping[date, float]) -> str:
    if target is None:
        return "Benchmarks lead to a target: write it too." if given else ""
    if is_share(aim.metric.unit) and any(value > 1 for value in (target, *given.values())):
        return "A share cannot pass 100 %."
    if not aim.adds_up:
        return ""
    if len(given) < len(aim.months):
        return "Write a benchmark for every month, or for none."
    total = math.fsum(given.values())
    if abs(total - target) > NEAR * max(1.0, abs(target)):
        unit = aim.metric.unit
        more = "more" if total > target else "less"
        off = gap(total - target, unit, sign=False)
        return f"The months add up to {short(total, unit)}, {off} {more} than the target."
    return ""


@dataclass(frozen=True)
class ChargeLine:
    """A line of the screen of leaders. metric: the one that there is; None for a new indicator."""

    number: int
    metric: Metric | None = None
    counted: Counted | None = None
    name: str = ""
    unit: str = "count"
    kind: str = "amount"
    grain: str = "month"
    better: str = "up"
    leader: str = ""
    email: str = ""
    by: str = ""
    due: str = ""
    token: str = ""
    place: int = 0  # among the new ones
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        return f"m-{self.metric.key}" if self.metric else f"new{self.place}"


def charge_lines(
    metrics: Sequence[Metric], owners: Mapping[str, Leader], leaders: Mapping[str, Leader]
) -> list[ChargeLine]:
    """The metrics that there are, then empty lines for new ones."""
    lines = []
    for number, metric in enumerate(metrics):
        counted = counted_of(metric) if metric.type == "manual" else None
        owner = owners.get(metric.key)
        counter = leaders.get(counted.by) if counted else None
        lines.append(
            ChargeLine(
                number,
                metric,
                counted,
                metric.name,
                leader=owner.name if owner else "",
                by=counter.name if counter else "",
                due="" if counted is None or counted.due is None else str(counted.due),
                token=token_of(metric),
            )
        )
    return lines + [ChargeLine(len(lines) + n, due="3", place=n) for n in range(NEW_LINES)]


def read_charges(
    lines: Sequence[ChargeLine], typed: Mapping[str, str]
) -> tuple[list[ChargeLine], list[Charge]]:
    """The lines with what was typed and what is wrong with it; the charges of those that say something."""
    read, charges = [], []
    for line in lines:
        found, charge = _charge(line, typed)
        read.append(found)
        if charge is not None:
            charges.append(charge)
    return read, charges


def _charge(line: ChargeLine, typed: Mapping[str, str]) -> tuple[ChargeLine, Charge | None]:
    def text(name: str, most: int = 200) -> str:
        return typed.get(f"{line.prefix}-{name}", "").strip()[:most]

    if line.metric is not None and f"{line.prefix}-token" not in typed:
        return line, None  # added since the page was opened
    allowed = {"unit": dict(UNITS), "kind": dict(KINDS), "grain": dict(GRAINS), "better": {"up", "down"}}
    chosen = {name: value if (value := text(name)) in known else "" for name, known in allowed.items()}
    said = {
        "leader": text("leader"),
        "email": text("email"),
        "by": text("by"),
        "due": text("due", 4),
        "name": line.name if line.metric else text("name"),
        **{name: value or getattr(line, name) for name, value in chosen.items()},
    }
    token = text("token", 40) or line.token
    errors: dict[str, str] = {}
    due = int(said["due"]) if said["due"].isascii() and said["due"].isdigit() else None
    if said["due"] and (due is None or due > 60):
        errors["due"] = "Write a number of working days, up to 60."
    if line.metric is None and not said["name"] and (said["leader"] or said["by"]):
        errors["name"] = "Name the indicator too."
    if said["email"] and not said["leader"]:
        errors["leader"] = "Whose address is this?"
    filled = replace(line, token=token, errors=errors, **said)  # type: ignore[arg-type]
    if errors or (line.metric is None and not said["name"]):
        return filled, None
    new = None
    if line.metric is None:
        new = Counted(
            name=said["name"],
            unit=said["unit"],
            kind=said["kind"],
            grain=said["grain"],
            better=said["better"],
        )
    person = Person(said["leader"], said["email"])
    key = line.metric.key if line.metric else ""
    return filled, Charge(key, new, person, Person(said["by"]), due, token if line.metric else "")


@dataclass(frozen=True)
class GuestLine:
    """Somebody to invite, as typed; `joined` have an account already."""

    number: int
    name: str = ""
    email: str = ""
    role: str = Role.LEADER
    wanted: bool = False
    joined: bool = False
    leader: Leader | None = None
    place: int = 0  # among those who lead nothing
    error: str = ""

    @property
    def prefix(self) -> str:
        return f"g-{self.leader.key}" if self.leader else f"other{self.place}"


def guest_lines(guests: Sequence[Guest]) -> list[GuestLine]:
    """The leaders, then empty lines for people who lead nothing."""
    known = [
        GuestLine(n, guest.leader.name, guest.leader.email, joined=guest.joined, leader=guest.leader)
        for n, guest in enumerate(guests)
    ]
    return known + [GuestLine(len(known) + n, role=Role.VIEWER, place=n) for n in range(EMPTY_GUESTS)]


def read_guests(
    lines: Sequence[GuestLine], typed: Mapping[str, str], roles: Sequence[str]
) -> list[GuestLine]:
    """The lines with what was typed; a ticked one without an address says so."""
    read = []
    for line in lines:
        if line.joined:
            read.append(line)
            continue

        def text(name: str, prefix: str = line.prefix) -> str:
            return typed.get(f"{prefix}-{name}", "").strip()[:254]

        name = line.name if line.leader else text("name")
        email, role = text("email"), text("role")
        wanted = bool(text("wanted")) if line.leader else bool(name or email)
        error = ""
        if wanted and not email:
            error = "Write the address, so that the account has one."
        elif wanted and not name:
            error = "Write the name too."
        elif wanted and role not in roles:
            error = "Choose a role."
        chosen = role if role in roles else line.role
        read.append(replace(line, name=name, email=email, role=chosen, wanted=wanted, error=error))
    return read
