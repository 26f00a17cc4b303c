"""The role that runs the application: figures as it likes, history only forwards. Checked by direct SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pghistory
import pytest
from django.db import DatabaseError, connection, transaction

from northstar.roles import apply_grants, audit_tables
from owners.models import Team

pytestmark = pytest.mark.django_db


@pytest.fixture
def role() -> str:
    """A role that exists in this test's transaction only, with the application's rights."""
    name = f"app_{uuid4().hex[:12]}"
    run(f"create role {name}")
    apply_grants(name)
    return name


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    run(f"set local role {role}")
    yield
    run("reset role")


def run(statement: str, *parameters: Any) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def refused(statement: str) -> str:
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        run(statement)
    return str(caught.value)


def test_there_is_an_audit() -> None:
    assert audit_tables() >= {f"{Team._meta.db_table}event"}


def test_the_application_works_and_leaves_its_trail(role: str) -> None:
    with acting_as(role), pghistory.context(user="ana"):
        team = Team.objects.create(key="growth", name="Growth")
        team.name = "Growing"
        team.save()
        team.delete()
    trail = run(f"select pgh_label, name, pgh_context_id is null from {Team._meta.db_table}event")
    assert len(trail) >= 2
    assert not any(without_context for *_, without_context in trail)


def test_no_audit_table_lets_it_update_delete_or_truncate(role: str) -> None:
    tables = sorted(audit_tables())
    assert len(tables) > 3
    with acting_as(role):
        for table in tables:
            [(column,)] = run(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum = 1", table
            )
            for statement in (
                f'update "{table}" set "{column}" = "{column}"',
                f'delete from "{table}"',
                f'truncate "{table}"',
                f'alter table "{table}" disable trigger all',
                f'drop table "{table}"',
            ):
                message = refused(statement)
                assert "permission denied" in message or "must be owner" in message, statement
            run(f'select 1 from "{table}"')


def test_an_old_context_is_closed(role: str) -> None:
    old, new = uuid4(), uuid4()
    for number, age in ((old, "2 hours"), (new, "1 minute")):
        run(
            "insert into pghistory_context (id, metadata, created_at, updated_at) "
            'values (%s, \'{"user": "ana"}\', now() - %s::interval, now())',
            number,
            age,
        )
    with acting_as(role):
        run('update pghistory_context set metadata = \'{"user": "ana", "more": 1}\' where id = %s', new)
        assert "is closed" in refused(f"update pghistory_context set metadata = '{{}}' where id = '{old}'")
        assert "permission denied" in refused(
            f"update pghistory_context set created_at = now() where id = '{old}'"
        )
        assert "permission denied" in refused("delete from pghistory_context")


def test_a_temporary_table_does_not_take_the_history_of_what_it_does(role: str) -> None:
    team, kept = Team._meta.db_table, f"{Team._meta.db_table}event"
    with acting_as(role):
        for table in (kept, "pghistory_context"):
            run(f"create temporary table {table} (like public.{table} including defaults)")
        # A schema that it owned would do as well; it may have none.
        assert "permission denied" in refused("create schema mine")
        run("set local search_path to pg_temp, public")
        run(f"insert into public.{team} (key, name) values ('growth', 'Growth')")
        run(f"update public.{team} set name = 'Unseen' where key = 'growth'")
        run("set local search_path to public")
        with pghistory.context(user="ana"):
            run(f"update public.{team} set name = 'Unseen too' where key = 'growth'")
    trail = run(f"select name, pgh_context_id is not null from public.{kept} order by pgh_id")
    assert trail == [("Growth", False), ("Unseen", False), ("Unseen too", True)]
    assert run("select metadata->>'user' from public.pghistory_context") == [("ana",)]


def test_it_may_copy_into_a_temporary_table_and_use_sequences(role: str) -> None:
    with acting_as(role):
        run("create temporary table incoming (key text, name text) on commit drop")
        run("insert into incoming values ('a', 'A')")
        run(
            f"merge into {Team._meta.db_table} t using incoming i on t.key = i.key "
            "when matched then update set name = i.name "
            "when not matched then do nothing"
        )
        Team.objects.create(key="sequence", name="uses one")
        assert Team.objects.filter(key="sequence").exists()


def test_it_may_not_change_the_schema_or_the_record_of_migrations(role: str) -> None:
    with acting_as(role):
        assert "permission denied" in refused("create table mine (a int)")
        assert "permission denied" in refused("delete from django_migrations")
        run("select count(*) from django_migrations")


@pytest.mark.parametrize(
    "statement",
    [
        "select setval('owners_teamevent_pgh_id_seq', 1)",
        "alter sequence owners_teamevent_pgh_id_seq restart with 1",
        "set session_replication_role = replica",
        "create or replace function northstar_context_is_closed() returns trigger language plpgsql "
        "as 'begin return new; end'",
        "drop trigger northstar_context_is_closed on pghistory_context",
        "create rule unseen as on insert to owners_teamevent do instead nothing",
        "alter table owners_teamevent owner to current_user",
    ],
)
def test_it_cannot_get_round_the_history(role: str, statement: str) -> None:
    with acting_as(role):
        message = refused(statement)
        assert "permission denied" in message or "must be owner" in message, message


def test_one_role_for_all_is_left_alone() -> None:
    """A superuser does not feel what is taken from it, so the rights are read as they are written down: none
    were given or taken, neither here nor when the tables were made."""
    [(myself,)] = run("select current_user")
    apply_grants(str(myself))
    rights: dict[object, object] = dict(
        run("select relname, relacl::text from pg_class where relnamespace = current_schema()::regnamespace")
    )
    assert {f"{Team._meta.db_table}event", "django_migrations"} <= set(rights)
    assert set(rights.values()) == {None}
