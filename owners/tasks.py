"""Celery's part in delivery."""

from celery import shared_task
from django.utils import timezone

from owners.services import outbox


@shared_task(ignore_result=True)
def deliver() -> int:
    """Send what is in the outbox; returns how many notices were sent. Losing this task loses nothing."""
    return outbox.deliver(timezone.now)
