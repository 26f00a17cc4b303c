"""Connections as pages change and test them. Stricter than a definitions file, which only those who have the
machine apply: a page reads files of listed directories only, and a kept password goes nowhere else."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings

from metrics.definitions.build import connection
from metrics.models import Warehouse
from metrics.secrets import UnreadableSecret, decrypt
from metrics.services import defining
from owners.models import User
from owners.rules import require
from warehouse.catalog import Proof, prove
from warehouse.definitions import WarehouseDef, WarehouseError
from warehouse.engines import connect
from warehouse.reach import Reach, Refused, addresses, check_file, check_socket

PATIENCE = 8.0  # seconds for one statement of a test
# A password is kept only for the place that it was given for: elsewhere it would be told to whoever is there.
BOUND = ("engine", "host", "port", "user", "sslmode")


# What engines and drivers say, and what it means for whoever set the connection up.
_ADVICE = (
    (
        r"connection refused",
        "Nothing answers at this host and port. Is the port right, and is the server running?",
    ),
    (
        r"password authentication failed|no password supplied",
        "The server does not accept this user with this password.",
    ),
    (
        r"translate host name|name or service not known|name resolution|getaddrinfo|no address",
        "No machine has this name. Is it spelt right?",
    ),
    (r"database .* does not exist", "The server has no database of this name."),
    (r"role .* does not exist", "The server knows no user of this name."),
    (
        r"pg_hba\.conf",
        "The server lets nobody in from here in this way: its pg_hba.conf decides. It may want encryption.",
    ),
    (
        r"\bssl\b|certificate",
        "An encrypted connection does not come about. Does the choice of encryption fit the server?",
    ),
    (
        r"timeout|longer than|no complete answer|timed out",
        "It did not answer in time. Is it busy, or does a firewall stand in between?",
    ),
    (r"no route to host|unreachable", "There is no way to this host from here."),
    (r"the file .* does not exist", "There is no such file on this machine."),
    (
        r"not a valid duckdb|not a parquet|no magic bytes|invalid input error",
        "This file is of another kind than its name says.",
    ),
    (r"permission denied", "The role may not read this. Give it the right to SELECT."),
)  # fmt: skip


def explained(error: Exception, *, detail: bool = True) -> str:
    """What is wrong with a warehouse in words that say what to do. detail: also the engine's own words, which
    name host and user; without advice they are all there is."""
    said = " ".join((getattr(error, "message", "") or str(error)).split())
    for pattern, advice in _ADVICE:
        if re.search(pattern, said, re.IGNORECASE):
            return f"{advice} ({said})" if detail else advice
    return said[:1].upper() + said[1:]


class Misplaced(ValueError):
    """A place that a page may not name. `field`: which option."""

    def __init__(self, field: str, words: str) -> None:
        self.field = field
        super().__init__(words)


def with_password(
    options: Mapping[str, Any], password: str, before: Mapping[str, Any] | None, *, kept: bool
) -> dict[str, Any]:
    """The options with the password as typed; else it stays as it is while the place is the same.

    before: the stored fields, None for a new connection; kept: whether there is a password for it. Misplaced
    if it must be typed again.
    """
    said = dict(options)
    if password:
        return {**said, "password": password}
    if before is None:
        return said
    if kept and any(said.get(name) != before.get(name) for name in BOUND):
        raise Misplaced("password", "Type the password again: the connection now leads elsewhere.")
    if "password" in before:
        said["password"] = before["password"]  # a reference, as written
    return said


def check_files(options: Mapping[str, Any], before: Mapping[str, Any] | None) -> None:
    """Misplaced if a page may not name a file; one that is stored already may stay."""
    reach = Reach(folders=tuple(settings.WAREHOUSE_FILES_ON_PAGES))
    kept = {(before or {}).get("path"), *((before or {}).get("files") or {}).values()}
    named = [("path", options.get("path"))] + [
        ("files", path) for path in (options.get("files") or {}).values()
    ]
    for field, path in named:
        if path and path not in kept:
            try:
                check_file(str(settings.BASE_DIR / path), reach)
            except (Refused, OSError, ValueError) as error:
                raise Misplaced(field, f"{error}.") from None


def check_host(definition: WarehouseDef) -> None:
    """Misplaced if the host's addresses may not be connected to. A name that has none may be stored: it may
    have some tomorrow, and they are checked whenever it is used. Asks DNS."""
    host, reach = str(definition.options.get("host", "")), definition.reach
    if definition.engine != "postgres" or reach is None:
        return
    try:
        if host.startswith("/"):
            own = settings.LAYOUT.sockets if settings.LAYOUT else None
            if own is not None and str(own) == host.rstrip("/"):
                raise Refused("This is the socket of this system’s own database")
            check_socket(host, reach)
        else:
            addresses(host, int(str(definition.options.get("port", 5432))), reach)
    except Refused as error:
        raise Misplaced("host", f"{error}.") from None
    except (OSError, UnicodeError):
        return


def definition_of(key: str, fields: Mapping[str, Any], row: Warehouse | None) -> WarehouseDef:
    """The connection of typed fields. row: the stored one that they edit, whose password goes along where
    none was typed (`with_password` has asked whether it may); never one that merely has the same key.
    WarehouseError.
    """
    options = {name: value for name, value in fields.items() if name != "engine"}
    if row is not None and row.engine == fields["engine"]:
        try:
            options = {**decrypt(row.secrets), **options}
        except UnreadableSecret as error:
            raise WarehouseError(str(error), warehouse=key) from None
    found = connection(key, str(fields["engine"]), options)
    return replace(found, timeout=min(found.timeout, PATIENCE))


def proof_of(definition: WarehouseDef) -> Callable[[], Proof]:
    """A test of the connection as a question: opens it, reads what it holds, changes nothing."""

    def question() -> Proof:
        try:
            check_host(definition)
        except Misplaced as error:
            raise WarehouseError(str(error), warehouse=definition.key) from None
        with connect(definition) as engine:
            return prove(engine)

    return question


def save(key: str, fields: Mapping[str, Any], *, author: User, expected: str) -> defining.Outcome:
    """Stores a connection. fields: as in the definitions file, the password among them only if it is new or
    a reference. Raises as `defining.define` does."""
    require(author, "warehouse.manage")
    text = defining.text_of("warehouses", key, dict(fields))
    return defining.define(text, "warehouses", key, author=author, expected=expected)
