"""The database that a command finds: running, and at the newest migration.

Without `DATABASE_URL` a command shares the embedded PostgreSQL of its data directory and starts it if need be
(`northstar.stack.session`). The role that runs is not the one that migrates: `as_owner` swaps them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from northstar.stack import session

# These never look into the database, or (the second line) see to it themselves.
WITHOUT_DATABASE = {
    *("help", "version", "check", "makemigrations", "collectstatic", "findstatic", "spectacular", "startapp"),
    *("up", "compilemessages", "makemessages", "diffsettings", "startproject"),
}
# These work on a database that is behind, or they bring it up themselves.
ANY_STATE = {
    "migrate",
    "prepare",
    "showmigrations",
    "sqlmigrate",
    "optimizemigration",
    "squashmigrations",
    "dbshell",
}
ANY_STATE |= {"restore"}
# Set by `up` for its children: the database is there and migrated, and `up` holds it.
SUPERVISED = "NORTHSTAR_SUPERVISED"


@contextmanager
def for_command(argv: Sequence[str]) -> Iterator[None]:
    """Holds the embedded database while the command of `argv` runs, if it needs one and has no other."""
    command = argv[1] if len(argv) > 1 else "help"
    asks_for_help = bool({"--help", "-h", "--version"} & set(argv[1:]))
    if command in WITHOUT_DATABASE or asks_for_help or command.startswith("-") or os.environ.get(SUPERVISED):
        yield
        return
    from django.conf import settings

    if settings.LAYOUT is None or not settings.EMBEDDED_DATABASE:
        yield
        return
    with session.join(settings.LAYOUT):
        if command not in ANY_STATE:
            bring_up_to_date()
        yield
        from django.db import connections

        connections.close_all()


def bring_up_to_date() -> None:
    """Migrates the embedded database if this version of the code has newer migrations than it."""
    import django
    from django.core.management import call_command

    django.setup()
    # As the owner: while another process migrates, the application's role has no rights on new tables yet.
    with as_owner():
        behind = is_behind()
    if behind:
        print("Preparing the database ...", file=sys.stderr, flush=True)
        call_command("migrate", interactive=False, verbosity=0)


def is_behind() -> bool:
    """Whether the database lacks a migration of the code."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def as_owner() -> Iterator[None]:
    """Connects the default database as the role that owns the tables, for the time of the block."""
    from django.conf import settings
    from django.db import connection

    running = connection.settings_dict
    options = {name: value for name, value in running.get("OPTIONS", {}).items() if name != "pool"}
    connection.close()
    connection.settings_dict = {**running, **settings.DATABASE_OWNER, "OPTIONS": options}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = running
