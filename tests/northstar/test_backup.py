"""Backup and restore of a whole installation, on a real PostgreSQL."""

from __future__ import annotations

import json
import re
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql

from metrics.models import Metric, Warehouse
from metrics.secrets import decrypt, encrypt
from northstar.backup import archive
from northstar.backup.errors import BackupFailed, BackupRefused
from northstar.backup.restoring import put_back
from northstar.backup.taking import take
from owners.adapters import MFAAdapter
from owners.models import Channel, Team, User
from tests.metrics import making

pytestmark = pytest.mark.django_db(transaction=True)
Rows = dict[str, list[tuple[Any, ...]]]
CASTS = re.compile(r"::(text|character varying)(\[\])?|[()]")
PASSWORD = {"password": "correct horse battery staple"}
HOOK = {"url": "https://hook.example/secret-path"}


def quiet(_: str) -> None:
    """Says nothing."""


def everything() -> Rows:
    """Every row of every table, read by plain SQL."""
    with connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public' order by 1")
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(sql.SQL("select t::text from {} t order by 1").format(sql.Identifier(table)))
            found[table] = cursor.fetchall()
    return found


def structure() -> dict[str, list[Any]]:
    """Columns, indexes, constraints, triggers and functions.

    PostgreSQL writes the casts of a varchar's list differently when it reads its own words again (the same
    condition), so casts and brackets are left out.
    """
    statements = {
        "columns": "select table_name, column_name, data_type, is_nullable, is_identity, column_default "
        "from information_schema.columns where table_schema = 'public'",
        "indexes": "select indexdef from pg_indexes where schemaname = 'public'",
        "constraints": "select conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated "
        "from pg_constraint where connamespace = 'public'::regnamespace",
        "triggers": "select tgrelid::regclass::text, pg_get_triggerdef(oid), tgenabled from pg_trigger "
        "where not tgisinternal",
        "functions": "select pg_get_functiondef(oid) from pg_proc "
        "where pronamespace = 'public'::regnamespace",
    }
    found = {}
    with connection.cursor() as cursor:
        for name, statement in statements.items():
            cursor.execute(statement)
            rows = [tuple(CASTS.sub("", str(cell)) for cell in row) for row in cursor.fetchall()]
            found[name] = sorted(rows)
    return found


@pytest.fixture
def full() -> None:
    """Something in many tables: history, figures, hostile text, and secrets of both kinds."""
    making.installation(name="Kestrel\t\\.\nKitchens")
    source = making.source(date(2026, 8, 1))
    Warehouse.objects.filter(pk=source.warehouse_id).update(secrets=encrypt(PASSWORD))
    orders = making.metric("orders", definition="\\.\nCOPY x FROM stdin;\n\\N \u2603")
    making.days(orders, date(2026, 7, 1), [float(n) for n in range(31)])
    making.month(orders, 2026, 7, None)
    making.owner("orders", "maya", date(2026, 1, 1))
    user = User.objects.create_user("maya@example.com", "a-long-enough-passphrase")
    Channel.objects.create(name="Leads", kind="webhook", host="hook.example", secret=encrypt(HOOK))
    box = MFAAdapter()
    Authenticator.objects.create(user=user, type="totp", data={"secret": box.encrypt("JBSWY3DP")})
    Authenticator.objects.create(
        user=user, type="recovery_codes", data={"migrated_codes": [box.encrypt("one"), box.encrypt("two")]}
    )


def test_every_row_and_secret_comes_back(full: None, tmp_path: Path) -> None:
    before, shape = everything(), structure()
    assert sum(1 for rows in before.values() if rows) > 12
    file = tmp_path / "north.backup"
    manifest = take(file, say=quiet)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert manifest.rows == {table: len(rows) for table, rows in before.items()}
    assert (manifest.secrets, manifest.keys_included) == (5, False)
    Metric.objects.all().delete()
    Warehouse.objects.update(secrets="")
    Team.objects.create(key="later", name="Later")
    assert everything() != before
    put_back(file, replace=True, say=quiet)
    assert everything() == before
    assert structure() == shape
    assert decrypt(Warehouse.objects.get().secrets) == PASSWORD
    assert decrypt(Channel.objects.get().secret) == HOOK
    assert Metric.objects.get().definition == "\\.\nCOPY x FROM stdin;\n\\N \u2603"
    # It goes on from there: numbers are not given twice, and changes still leave their trail.
    Team.objects.create(key="next", name="Next")
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from owners_teamevent")
        assert cursor.fetchone() == (1,)


def test_the_file_holds_no_key_unless_asked(full: None, tmp_path: Path, settings: Any) -> None:
    key = settings.NORTHSTAR_ENCRYPTION_KEYS[0]
    take(tmp_path / "plain", say=quiet)
    take(tmp_path / "keys", with_keys=True, say=quiet)
    assert key.encode() not in (tmp_path / "plain").read_bytes()
    assert key.encode() in (tmp_path / "keys").read_bytes()


def test_other_keys_are_refused_and_nothing_changes(full: None, tmp_path: Path, settings: Any) -> None:
    take(tmp_path / "b", say=quiet)
    Team.objects.create(key="later", name="Later")
    before = everything()
    settings.NORTHSTAR_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(BackupRefused, match="NORTHSTAR_ENCRYPTION_KEYS"):
        put_back(tmp_path / "b", replace=True, say=quiet)
    assert everything() == before


def test_keys_in_the_backup_open_its_secrets_elsewhere(full: None, tmp_path: Path, settings: Any) -> None:
    take(tmp_path / "b", with_keys=True, say=quiet)
    settings.NORTHSTAR_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    put_back(tmp_path / "b", replace=True, say=quiet)
    assert decrypt(Warehouse.objects.get().secrets) == PASSWORD
    assert decrypt(Channel.objects.get().secret) == HOOK
    codes = Authenticator.objects.get(type="recovery_codes").data["migrated_codes"]
    assert [MFAAdapter().decrypt(code) for code in codes] == ["one", "two"]
    box = MultiFernet([Fernet(k) for k in settings.NORTHSTAR_ENCRYPTION_KEYS])
    totp = Authenticator.objects.get(type="totp").data["secret"]
    assert box.decrypt(totp.encode()) == b"JBSWY3DP"


def test_it_asks_before_it_replaces(full: None, tmp_path: Path) -> None:
    take(tmp_path / "b", say=quiet)
    before = everything()
    with pytest.raises(CommandError, match="not empty") as refused:
        call_command("restore", str(tmp_path / "b"))
    assert refused.value.returncode == 2
    assert everything() == before
    with pytest.raises(CommandError, match="exists already") as refused:
        call_command("backup", str(tmp_path / "b"))
    assert refused.value.returncode == 2


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def _cut_in_half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _foreign(file: Path) -> None:
    file.write_bytes(b"PGDMP a dump of something else")


def _other_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr("readme.txt", "photos")


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _repack(file: Path, change: Callable[[dict[str, Any], bytes], bytes]) -> None:
    with zipfile.ZipFile(file) as bundle:
        told, dump = json.loads(bundle.read(archive.MANIFEST)), bundle.read(archive.DUMP)
    dump = change(told, dump)
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr(archive.MANIFEST, json.dumps(told))
        bundle.writestr(archive.DUMP, dump)


def _other_dump(file: Path) -> None:
    _repack(file, lambda told, dump: dump[:-1] + bytes([dump[-1] ^ 1]))


def _newer(file: Path) -> None:
    def change(told: dict[str, Any], dump: bytes) -> bytes:
        told["migrations"].append(["metrics", "0999_from_the_future"])
        return dump

    _repack(file, change)


def _newer_form(file: Path) -> None:
    def change(told: dict[str, Any], dump: bytes) -> bytes:
        told["format"] = 99
        return dump

    _repack(file, change)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_cut, "damaged or cut off"),
        (_cut_in_half, "damaged or cut off"),
        (_foreign, "not a backup"),
        (_other_zip, "not a backup"),
        (_empty, "not a backup"),
        (_other_dump, "checksum"),
        (_newer, "newer version"),
        (_newer_form, "newer version"),
        (Path.unlink, "does not exist"),
    ],
)
def test_what_is_no_whole_backup_is_refused(
    full: None, tmp_path: Path, harm: Callable[[Path], None], words: str
) -> None:
    file = tmp_path / "b"
    take(file, say=quiet)
    before = everything()
    harm(file)
    with pytest.raises(CommandError, match=words) as refused:
        call_command("restore", str(file), "--replace", stdout=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    assert refused.value.returncode == 2
    assert everything() == before


def test_a_missing_row_undoes_all(full: None, tmp_path: Path) -> None:
    file = tmp_path / "b"
    take(file, say=quiet)

    def change(told: dict[str, Any], dump: bytes) -> bytes:
        told["rows"]["metrics_value"] += 1
        return dump

    _repack(file, change)
    before = everything()
    with pytest.raises(BackupFailed, match="metrics_value"):
        put_back(file, replace=True, say=quiet)
    assert everything() == before


def test_a_backup_that_cannot_be_written_leaves_nothing(full: None, tmp_path: Path, settings: Any) -> None:
    with pytest.raises(BackupRefused, match="cannot be written"):
        take(tmp_path / "missing" / "b", say=quiet)
    settings.PG_BIN = str(tmp_path)
    with pytest.raises(BackupFailed, match="PG_BIN"):
        take(tmp_path / "b", say=quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_backup_during_writes_is_one_moment(full: None, tmp_path: Path) -> None:
    """A writer moves money between two rows and adds a pair of rows at a time: no moment shows half of it."""
    with connection.cursor() as cursor:
        cursor.execute("create table ledger_a (n bigint primary key, amount bigint)")
        cursor.execute("create table ledger_b (n bigint primary key, amount bigint)")
        cursor.execute("insert into ledger_a values (0, 0)")
        cursor.execute("insert into ledger_b values (0, 0)")
    stop, begun = threading.Event(), threading.Event()
    dsn, password = connection.connection.info.dsn, connection.connection.info.password
    written = 0

    def write() -> None:
        nonlocal written
        with psycopg.connect(dsn, password=password) as own:
            while not stop.is_set():
                written += 1
                own.execute("insert into ledger_a values (%s, 1)", [written])
                own.execute("insert into ledger_b values (%s, -1)", [written])
                own.execute("update ledger_a set amount = amount + 3 where n = 0")
                own.execute("update ledger_b set amount = amount - 3 where n = 0")
                own.commit()
                if written > 20:
                    begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(30)
        at_start = written
        manifest = take(tmp_path / "b", say=quiet)
        at_end = written
    finally:
        stop.set()
        writer.join()
    try:
        assert at_end > at_start, "nothing was written meanwhile"
        put_back(tmp_path / "b", replace=True, say=quiet)
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(*), sum(a.amount + b.amount), max(a.n), max(a.amount) filter (where a.n = 0) "
                "from ledger_a a full join ledger_b b using (n)"
            )
            count, balance, last, moved = cursor.fetchone()
        assert balance == 0
        assert (count, moved) == (last + 1, 3 * last)
        assert at_start - 1 <= last <= at_end
        assert manifest.rows["ledger_a"] == count
    finally:
        with connection.cursor() as cursor:
            cursor.execute("drop table if exists ledger_a, ledger_b")


def test_the_manifest_says_when_and_of_what(full: None, tmp_path: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    take(tmp_path / "b", say=quiet)
    copied = tmp_path / "elsewhere"
    shutil.copy(tmp_path / "b", copied)
    with zipfile.ZipFile(copied) as bundle:
        told = json.loads(bundle.read("manifest.json"))
    assert before <= datetime.fromisoformat(told["taken_at"]) <= datetime.now(UTC)
    assert told["rows"]["metrics_metric"] == 1
    assert ["metrics", "0001_initial"] in told["migrations"]
