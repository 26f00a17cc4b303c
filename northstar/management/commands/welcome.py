"""`welcome`: what an empty installation says or does when `up` has started it."""

from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand

from metrics.models import Metric


class Command(BaseCommand):
    help = "On an empty installation, loads the demo (DEMO=1) or prints the first admin's one-time link."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DEMO and not settings.PRODUCTION:
            if not Metric.objects.exists() and "demo" in get_commands():
                call_command("demo", stdout=self.stdout, stderr=self.stderr)
            return
        from owners.services.links import first_admin_url

        url = first_admin_url(settings.SITE_URL)
        if url:
            self.stdout.write(f"The first admin signs in with this link, once: {url}")
