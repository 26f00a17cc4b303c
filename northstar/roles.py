"""What the role that runs the application may do: all with the figures, but only add to the audit."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection
from psycopg import sql

# Who changed something and why is said in one context row, written when its first change is. Later changes
# of the same request may add to it; after this time nobody may.
CONTEXT_OPEN_FOR = "1 hour"


def audit_tables() -> set[str]:
    """The tables that keep history: every event table, and those of models that say `append_only = True`."""
    from pghistory.models import Event

    return {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy
        and model._meta.managed
        and (issubclass(model, Event) or getattr(model, "append_only", False))
    }


def apply_grants(app_role: str) -> None:
    """Gives `app_role` its rights on all tables. Call it as the owner, after each migration; safe to repeat.

    Does nothing where one role both owns and runs (it may do everything anyway).
    """
    with connection.cursor() as cursor:
        cursor.execute("select current_user, current_database(), current_schema()")
        owner, database, schema = cursor.fetchone()
        if owner == app_role:
            return
        role, place = sql.Identifier(app_role), sql.Identifier(schema)
        _run(cursor, "grant connect, temporary on database {} to {}", sql.Identifier(database), role)
        _run(cursor, "grant usage on schema {} to {}", place, role)
        _run(cursor, "revoke create on schema {} from {}", place, role)
        _run(cursor, "grant select, insert, update, delete on all tables in schema {} to {}", place, role)
        _run(cursor, "grant usage, select on all sequences in schema {} to {}", place, role)
        existing = set(connection.introspection.table_names(cursor))
        for table in sorted(audit_tables() & existing):
            _run(cursor, "revoke update, delete on {} from {}", sql.Identifier(table), role)
        if "django_migrations" in existing:
            _run(cursor, "revoke insert, update, delete on django_migrations from {}", role)
        if "pghistory_context" in existing:
            _close_old_contexts(cursor, role)
        _pin_triggers(cursor, schema)


def _close_old_contexts(cursor: Any, role: sql.Identifier) -> None:
    """pghistory adds to the context's row while a request goes on: it stays writable, but not for long."""
    _run(cursor, "revoke update, delete on pghistory_context from {}", role)
    _run(cursor, "grant update (metadata, updated_at) on pghistory_context to {}", role)
    cursor.execute(
        f"""
        create or replace function northstar_context_is_closed() returns trigger language plpgsql as $$
        begin
            if old.created_at < now() - interval '{CONTEXT_OPEN_FOR}' then
                raise exception 'the audit context % is closed', old.id
                    using errcode = 'insufficient_privilege';
            end if;
            return new;
        end $$
        """
    )
    cursor.execute(
        """
        create or replace trigger northstar_context_is_closed before update on pghistory_context
        for each row execute function northstar_context_is_closed()
        """
    )


def _pin_triggers(cursor: Any, schema: str) -> None:
    """The triggers that write history find its tables by name. Without this a temporary table of that name,
    which the role may create, would take the history of what it does, and vanish with it."""
    cursor.execute(
        """
        select distinct p.oid::regprocedure::text
        from pg_trigger t join pg_proc p on p.oid = t.tgfoid join pg_class c on c.oid = t.tgrelid
        join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = p.proowner
        where not t.tgisinternal and n.nspname = %s and r.rolname = current_user
        """,
        [schema],
    )
    for (function,) in cursor.fetchall():
        _run(cursor, f"alter function {function} set search_path to {{}}, pg_temp", sql.Identifier(schema))


def _run(cursor: Any, statement: str, *names: sql.Identifier) -> None:
    cursor.execute(sql.SQL(statement).format(*names))
