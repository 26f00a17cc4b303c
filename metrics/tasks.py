"""Celery's part in recomputing: claim what is due and perform it."""

import os
import socket

from celery import shared_task

from metrics.services import bell, recompute

MOST = 200  # runs that one task performs before it lets others have the process


@shared_task(ignore_result=True)
def work() -> int:
    """Perform runs until none is due; returns how many. Losing this task loses nothing."""
    worker = f"{socket.gethostname()}:{os.getpid()}"
    done = sum(1 for _ in recompute.work(worker, most=MOST))
    if done:
        bell.ring_for_notices()
    if done == MOST:
        bell.ring()
    return done
