"""The tables of this installation's schema: their names, their rows, and their removal."""

from __future__ import annotations

from django.db import connection
from psycopg import sql

# What an installation has before anybody has put anything into it.
BOOKKEEPING = {
    *("django_migrations", "django_content_type", "auth_permission", "django_session"),
    *("owners_adminlink", "owners_attempt", "owners_signin"),
}


def schema() -> str:
    """The schema that the connection works in."""
    with connection.cursor() as cursor:
        cursor.execute("select current_schema()")
        (name,) = cursor.fetchone()
    return str(name)


def server_major() -> int:
    """The server's major version, 18."""
    with connection.cursor() as cursor:
        cursor.execute("show server_version_num")
        (number,) = cursor.fetchone()
    return int(number) // 10_000


def rows_by_table() -> dict[str, int]:
    """How many rows each table holds, by name."""
    counted = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relkind in ('r', 'p') and relnamespace = "
            "current_schema()::regnamespace order by relname"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table)))
            (counted[table],) = cursor.fetchone()
    return counted


def is_empty() -> bool:
    """Whether nobody has put anything into this installation yet."""
    return not any(n for table, n in rows_by_table().items() if table not in BOOKKEEPING)


def drop_all() -> None:
    """Drops every table, view, sequence and function of the schema but those of extensions."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select format('drop %s if exists %s cascade',
                          case relkind when 'v' then 'view' when 'm' then 'materialized view'
                                       when 'S' then 'sequence' else 'table' end, oid::regclass)
            from pg_class c
            where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')
              and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype in ('e', 'i'))
            order by relkind = 'S', oid::regclass::text
            """
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
        cursor.execute(
            """
            select format('drop routine if exists %s cascade', oid::regprocedure) from pg_proc p
            where pronamespace = current_schema()::regnamespace
              and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
            """
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
