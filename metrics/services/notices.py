"""What is told to whom when data are late, broken or implausible: rows of the outbox, each at most once."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from metrics.models import Dispute, Metric, Source
from metrics.queries import installation
from owners.models import Deviation, Leader, Notice, Role, User
from owners.services.outbox import notify, short_key

SOURCES = "/settings/sources/"
DAY = timedelta(days=1)
STAGES = ("failed", "quarantined")  # of a metric that cannot be computed


def load_late(source: Source, first_late: date) -> None:
    """The load has stopped: told once for the first day that is missing."""
    known = (
        f"it is loaded through {_day(source.watermark - DAY)}"
        if source.watermark
        else "nothing is loaded yet"
    )
    _tell(
        f"late:{source.key}:{first_late}",
        "source_late",
        source.data_owner,
        f"The data of {source.key} are late",
        f"The rows of {_day(first_late)} should be in the source {source.key}, and are not: {known}.\n"
        "Its figures stay as they were; nothing is counted as zero. You will be told when the load is back.",
    )


def load_back(source: Source, since: datetime) -> None:
    """The load has caught up."""
    _tell(
        f"loaded:{source.key}:{since.isoformat()}",
        "source_loaded",
        source.data_owner,
        f"The data of {source.key} are there again",
        f"The source {source.key} was late since {_moment(since)} and has caught up.",
    )


def source_failed(source: Source, error: str) -> None:
    """The warehouse or source could not be read; told once until it can be."""
    assert source.failed_since
    _tell(
        f"failed:{source.key}:{source.failed_since.isoformat()}",
        "source_failed",
        source.data_owner,
        f"The source {source.key} cannot be read",
        f"{error}\n\nIts metrics keep their last good figures, marked stale since "
        f"{_moment(source.failed_since)}. It is tried again by itself.",
    )


def source_back(source: Source, since: datetime) -> None:
    """The source can be read again."""
    _tell(
        f"back:{source.key}:{since.isoformat()}",
        "source_back",
        source.data_owner,
        f"The source {source.key} can be read again",
        f"It could not since {_moment(since)}. Its metrics are up to date.",
    )


def metric_failed(source: Source, metric: Metric, error: str, since: datetime, quarantined: bool) -> None:
    """One metric could not be computed: told at the first attempt, and when it is put aside."""
    stage = STAGES[quarantined]
    ending = (
        "It is put aside now and tried once a day; recompute it when it is mended."
        if quarantined
        else "It is tried again by itself."
    )
    _tell(
        f"metric:{metric.key}:{stage}:{since.isoformat()}",
        f"metric_{stage}",
        source.data_owner,
        f"{metric.name} cannot be computed",
        f"{error}\n\nIts last good figures stay, marked stale since {_moment(since)}; the other "
        f"metrics of {source.key} are up to date. {ending}",
        metric,
    )


def metric_back(metric: Metric, since: datetime, data_owner: Leader | None) -> None:
    """A metric that had failed is computed again: told to the data owner, and to whoever was told that it
    had failed, where that was somebody else. Channels are told once."""
    before = Notice.objects.filter(
        key__in=[short_key(f"metric:{metric.key}:{stage}:{since.isoformat()}") for stage in STAGES]
    ).select_related("leader")
    told = {notice.leader_id: notice.leader for notice in before}
    people = {data_owner.pk if data_owner else None: data_owner} if data_owner or not told else {}
    for n, leader in enumerate((people | told).values()):
        notify(
            leader,
            "metric_back",
            f"metric:{metric.key}:back:{since.isoformat()}" + (f":{leader.key}" if leader else ""),
            f"{metric.name} is computed again",
            f"It could not be since {_moment(since)}. What it missed has been made up for.",
            f"/metrics/{metric.key}/",
            about=[metric.key],
            to_channels=n == 0,
        )


def figures_held(source: Source, metrics: Collection[Metric], now: datetime) -> None:
    """Implausible figures wait for somebody to check them."""
    for metric in metrics:
        _tell(
            f"held:{metric.key}:{now.isoformat()}",
            "figure_held",
            source.data_owner,
            f"A figure of {metric.name} waits for a check",
            f"A new figure of {metric.name} lies outside of what is declared plausible. It is held; the last "
            "good one stays until somebody has looked at it.",
            metric,
        )


def _tell(
    key: str, kind: str, leader: Leader | None, subject: str, body: str, metric: Metric | None = None
) -> None:
    """About a source, or one metric of it; the admins are told where nobody looks after the source."""
    path = f"/metrics/{metric.key}/" if metric else SOURCES
    notify(leader, kind, key, subject, body, path, about=[metric.key] if metric else ())


def deviation_asked(row: Deviation, metric: Metric, terms: str, who: str) -> None:
    """An owner asks that a gap to plan be accepted: told to every executive, without one to the admins."""
    executives: list[User | None] = [*User.objects.filter(role=Role.EXECUTIVE, is_active=True)]
    for person in executives or [None]:
        notify(
            person,
            "deviation",
            f"deviation:{row.pk}:asked" + (f":{person.pk}" if person else ""),
            f"{who} asks that {metric.name} may be behind its plan",
            f"{terms}\n\nAccept it or say why not.",
            f"/metrics/{metric.key}/deviation/",
            about=[metric.key],
        )


def deviation_answered(row: Deviation, metric: Metric, owner: Leader | None, what: str, words: str) -> None:
    """A deviation was accepted, declined or ended: told to the owner, if the metric has one."""
    if owner is None:
        return
    ended = f":ended:{row.ended_at.isoformat()}" if row.ended_at else ""
    accepted = f":{row.accepted_at.isoformat()}" if row.accepted_at else ""
    notify(
        owner,
        "deviation",
        f"deviation:{row.pk}{accepted}{ended}",
        f"The gap to plan of {metric.name} is {what}",
        words,
        f"/metrics/{metric.key}/",
        about=[metric.key],
    )


def disputed(dispute: Dispute, keepers: Collection[Leader], figure: str) -> None:
    """A figure is said to look wrong: told to those who look after its data, where nobody does to the admins.

    Who may not see the metric is not told of it."""
    people: list[Leader | None] = [*keepers]
    for leader in people or [None]:
        notify(
            leader,
            "dispute",
            f"dispute:{dispute.pk}" + (f":{leader.key}" if leader else ""),
            f"{dispute.author} says that a figure of {dispute.metric.name} looks wrong",
            f"{figure}\n\n{dispute.text}\n\nIt is marked as disputed until somebody answers.",
            f"/disputes/#dispute-{dispute.pk}",
            about=[dispute.metric.key],
        )


def dispute_answered(dispute: Dispute, outcome: str) -> None:
    """Whoever raised a dispute is told what was answered."""
    if dispute.author is None:
        return
    notify(
        dispute.author,
        "dispute_answered",
        f"dispute:{dispute.pk}:answered",
        f"The figure of {dispute.metric.name} is {outcome}",
        f"You wrote: {dispute.text}\n\n{dispute.closed_by} answered: {dispute.answer}",
        f"/metrics/{dispute.metric.key}/#disputes",
        about=[dispute.metric.key],
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _moment(at: datetime) -> str:
    """In the installation's time zone; one SQL statement."""
    local = at.astimezone(installation.calendar().zone)
    return f"{_day(local.date())} {local:%H:%M}"
