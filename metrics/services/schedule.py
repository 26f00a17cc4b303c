"""The tick: finds what is due in PostgreSQL and rings the bell. May run twice, anywhere, without harm."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from calc.calendar import Calendar
from metrics.definitions.build import calendar_of
from metrics.models import Installation, MetricVersion, Run, Source
from metrics.queries import installation
from metrics.services import bell, digests, freshness, idempotency, ledger, reminders, rollover, sheet_imports
from owners.services import check_in_links, outbox

log = structlog.get_logger(__name__)
REST = timedelta(days=1)  # after which a source whose run was quarantined is tried again by itself


@dataclass(frozen=True)
class Tick:
    """What a tick has found. asked: sources for which a run is open now because they were due."""

    asked: tuple[str, ...]
    late: tuple[str, ...]
    work: bool
    notices: bool


def tick(now: datetime) -> Tick:
    """Insert the runs that are due, tell of late loads, and ring for whatever waits: new runs, retries,
    runs of lost workers, notices. A bell that nobody heard is rung again by the next tick."""
    with installation.local_time():
        return _tick(now)


def _tick(now: datetime) -> Tick:
    asked: list[str] = []
    late: list[str] = []
    calendar = calendar_of(Installation.objects.first())
    for source in Source.objects.filter(archived_at=None, warehouse__archived_at=None).order_by("key"):
        if is_due(source, now):
            ledger.request(source, cause="schedule", now=now, ring=False)
            asked.append(source.key)
        with transaction.atomic():
            locked = (
                Source.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
                .select_related("data_owner")
                .filter(pk=source.pk)
                .first()
            )
            if locked is None:
                continue  # a result is being taken in, which judges for itself
            if freshness.judge(locked, calendar, now):
                locked.save(update_fields=["late_since"])
            if locked.late_since is not None:
                late.append(source.key)
    idempotency.forget(now)
    _roll_over(calendar, now)
    sheet_imports.forget(now)
    outbox.forget(now)
    check_in_links.forget(now)
    _tell(now)
    work = ledger.is_waiting(now)
    notices = outbox.waiting(now).exists()
    heard = [bell.ring()] if work else []
    heard += [bell.ring_for_notices()] if notices else []
    if False in heard:
        log.warning("work is waiting, and the broker cannot be reached to tell the workers")
    return Tick(tuple(asked), tuple(late), work, notices)


def _roll_over(calendar: Calendar, now: datetime) -> None:
    """Proposes the next quarter's targets when it is time; what fails there keeps nothing else waiting."""
    try:
        with transaction.atomic():
            rollover.tick(calendar, now)
    except Exception:
        log.exception("the next quarter's targets could not be proposed")


def _tell(now: datetime) -> None:
    """Reminders and digests whose day it is. What is wrong with them holds up nothing else."""
    for tell in (reminders.remind, digests.digest):
        try:
            with transaction.atomic():
                tell(now)
        except Exception:
            log.exception("no reminders", of=tell.__name__)


def is_due(source: Source, now: datetime) -> bool:
    """Whether a source is to be looked at again: REFRESH_MINUTES after the last look, sooner when it was
    due to be loaded in between; not while a run of it is open, and not for a day after one was
    quarantined."""
    runs = Run.objects.filter(source=source, window_start=None, window_end=None)
    if runs.filter(state__in=Run.OPEN).exists():
        return False
    last = runs.order_by("-id").first()
    if last is not None and last.state == Run.State.QUARANTINED and last.finished_at is not None:
        edited = MetricVersion.objects.aggregate(Max("created_at"))["created_at__max"]
        if now < last.finished_at + REST and (edited is None or edited <= last.finished_at):
            return False
    return source.checked_at is None or now >= source.checked_at + timedelta(minutes=settings.REFRESH_MINUTES)
