"""The talk about a target: every new figure is a step of it, told to whoever is to say something next."""

from urllib.parse import urlencode

from calc.numbers import short
from metrics.models import Target, TargetAnswer
from metrics.queries import installation
from owners.models import Leader, Role, User
from owners.queries.ownership import member_owner_on
from owners.rules import leader_of
from owners.services.outbox import notify

Kind = TargetAnswer.Kind


def tell_of_change(
    target: Target,
    author: User | None,
    reason: str,
    figure_changed: bool,
    months_changed: bool,
    *,
    by: str = "",
) -> None:
    """Puts a new figure into the talk about the target and tells its owner: of a proposal of this quarter or
    a later one, which waits for an answer, and of any change of what they agreed to.

    by: who proposes or changes it, where `author` does not say it.
    """
    if not figure_changed and not (months_changed and target.agreed_at):
        return
    said = TargetAnswer.objects.create(
        target=target,
        kind=Kind.CHANGED if target.agreed_at else Kind.PROPOSED,
        figure=target.value,
        growth=target.growth,
        text=reason,
        author=author,
    )
    owner = owner_of(target)
    if target.agreed_at:
        unit = target.metric.unit
        then = short(target.agreed_value, unit) if target.agreed_value is not None else target.agreed_growth
        tell(
            said,
            "target_changed",
            owner,
            f"The target of {name_of(target)} was changed after you agreed",
            f"{target.quarter}: {figure_of(target)}, agreed {then}. Changed by {author or by or 'somebody'}: "
            f"{reason}\n\nWhat you agreed to stays beside it.",
        )
    elif is_open(target):
        who = author or by
        tell(
            said,
            "target_proposed",
            owner,
            f"A target of {name_of(target)} waits for your answer",
            f"{target.quarter}: {figure_of(target)}{f', proposed by {who}' if who else ''}.\n"
            f"{f'{reason}{chr(10)}' if reason else ''}\n"
            "Accept it, or answer with the figure that you would agree to. Until then it counts as proposed.",
        )


def tell(said: TargetAnswer, kind: str, to: Leader | User | None, subject: str, body: str) -> None:
    """Tells somebody of a step that they have not taken themself, once."""
    if to is None or to in (said.author, leader_of(said.author)):
        return
    target = said.target
    name = to.key if isinstance(to, Leader) else f"user:{to.pk}"
    key = f"{kind}:{said.pk}:{name}"
    notify(to, kind, key, subject, body, path_of(target), about=[target.metric.key])


def tell_deciders(said: TargetAnswer, kind: str, subject: str, body: str) -> None:
    """Tells every executive, without one the admins, what waits for their decision."""
    executives = list(User.objects.filter(role=Role.EXECUTIVE, is_active=True).order_by("pk"))
    for person in executives or User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk"):
        tell(said, kind, person, subject, body)


def is_open(target: Target) -> bool:
    """Whether its quarter is not over, so that somebody may still be asked about it."""
    cal = installation.calendar()
    return target.quarter >= cal.quarter_name(installation.today(cal))


def owner_of(target: Target) -> Leader | None:
    """Who answers today for what the target is about: a metric, or a member of one."""
    today = installation.today(installation.calendar())
    return member_owner_on(target.metric.key, target.dimension, target.member, today)


def name_of(target: Target) -> str:
    return f"{target.metric.name}, {target.member}" if target.member else target.metric.name


def figure_of(target: Target) -> str:
    """The target in words, a growth as it is written."""
    if target.value is not None:
        return short(target.value, target.metric.unit)
    return target.growth or "no target"


def path_of(target: Target) -> str:
    """The page of the talk about it."""
    by = f"?{urlencode({'by': target.dimension})}" if target.dimension else ""
    return f"/targets/{target.quarter}/{target.metric.key}/{by}"
