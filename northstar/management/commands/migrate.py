"""`migrate` as the role that owns the tables; then the role that runs the application gets its rights."""

from typing import Any

from django.conf import settings
from django.core.management.commands.migrate import Command as DjangoMigrate

from northstar.database import as_owner
from northstar.roles import apply_grants


class Command(DjangoMigrate):
    help = (
        f"{DjangoMigrate.help} Runs as the owner of the tables and renews the application's rights on them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            super().handle(*args, **options)
            if not options.get("check_unapplied") and not options.get("plan"):
                apply_grants(settings.DATABASES["default"]["USER"])
