"""The Celery application. Redis or Valkey only rings the bell; the record of work is in PostgreSQL."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "northstar.settings")
app = Celery("northstar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
