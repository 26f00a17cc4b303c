"""The bell: tells Celery workers that there is work. Best effort; the ledger and the outbox know what is
due."""

import time

import structlog
from celery import current_app
from django.db import transaction

SILENCE = 10.0  # seconds without another try after one that failed, so that a dead broker costs one wait
EXPIRES = 120  # seconds: a bell that nobody has heard is rung again by the next tick
log = structlog.get_logger(__name__)
_silent_until = 0.0


def ring() -> bool:
    """Wake a worker for runs that are due; False if the broker cannot be reached. Never raises."""
    return _send("metrics.tasks.work")


def ring_for_notices() -> bool:
    """Wake a worker for notices that are to be sent; as `ring`."""
    return _send("owners.tasks.deliver")


def ring_on_commit() -> None:
    """Ring once the current transaction is committed, or at once outside of one."""
    transaction.on_commit(ring, robust=True)


def _send(task: str) -> bool:
    """Tasks are called by name: what they do is built on the ledger, which rings."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return False
    try:
        current_app.send_task(task, expires=EXPIRES, retry=False, ignore_result=True)
    except Exception as error:
        _silent_until = time.monotonic() + SILENCE
        log.info("the bell cannot be rung; the next tick finds the work", error=str(error))
        return False
    return True
