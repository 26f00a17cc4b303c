"""`prepare`: what must be done once before a new version serves."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from northstar.statics import collect


class Command(BaseCommand):
    help = "Applies migrations, renews the application's database rights, and collects the static files."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        collect()
