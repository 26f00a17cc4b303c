"""The Celery application. Redis or Valkey only rings the bell; the record of work is in PostgreSQL."""

import os
import signal
from typing import Any

from celery import Celery, Task
from celery.signals import setup_logging, worker_process_init

from northstar.stack.children import HAS_DEATH_SIGNAL, die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "northstar.settings")


class LocalTask(Task):
    """Works in the installation's time zone, as pages do."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from metrics.queries import installation

        with installation.local_time():
            return super().__call__(*args, **kwargs)


app = Celery("northstar", task_cls=LocalTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Django's LOGGING is in force; a receiver here keeps Celery from installing its own."""


@worker_process_init.connect
def die_with_worker(**kwargs: Any) -> None:
    """A killed worker takes its processes along: what they were doing is retried by another."""
    if HAS_DEATH_SIGNAL:
        die_with_parent(signal.SIGKILL, os.getppid())
