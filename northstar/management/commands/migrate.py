"""`migrate` as the role that owns the tables; then the role that runs the application gets its rights."""

from typing import Any

from django.conf import settings
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connection

from northstar.database import as_owner
from northstar.roles import apply_grants

MIGRATING = 7_262_017  # the advisory lock's number: any, but always the same


class Command(DjangoMigrate):
    help = (
        f"{DjangoMigrate.help} Runs as the owner of the tables and renews the application's rights on them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            with connection.cursor() as cursor:
                # Two processes that find the database behind migrate it one after the other; the second has
                # nothing left to do. The lock ends with the owner's connection.
                cursor.execute("select pg_advisory_lock(%s)", [MIGRATING])
            super().handle(*args, **options)
            if not options.get("check_unapplied") and not options.get("plan"):
                apply_grants(settings.DATABASES["default"]["USER"])
