"""The file of a backup: a zip of `manifest.json`, the database's dump, and if wanted the encryption keys.

It is written beside its place and renamed there (mode 0600), so that half a backup never has its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from northstar.backup.errors import BackupFailed, BackupRefused

FORMAT = 1
PROGRAM = "North Star backup"
MANIFEST, DUMP, KEYS = "manifest.json", "database.dump", "encryption_keys.json"
CHUNK = 1 << 20
LARGEST_MANIFEST = 10_000_000  # bytes; a stranger's file must not fill the memory


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `rows` counts each table's, in the very snapshot that was dumped."""

    version: str
    taken_at: str
    schema: str
    server: int  # PostgreSQL's major version
    migrations: list[list[str]]  # [app, name]
    rows: dict[str, int]
    secrets: int
    keys_included: bool
    dump_sha256: str = ""
    dump_bytes: int = 0
    program: str = PROGRAM
    format: int = FORMAT

    @classmethod
    def of(cls, told: Any) -> Manifest:
        """BackupRefused for what is not the manifest of a backup, or of a newer form."""
        if not isinstance(told, dict) or told.get("program") != PROGRAM:
            raise BackupRefused("it is not a backup of North Star")
        if told.get("format") != FORMAT:
            raise BackupRefused(f"its form {told.get('format')!r} is not known; a newer version has made it")
        try:
            manifest = cls(**{field.name: told[field.name] for field in fields(cls)})
            well = (
                all(isinstance(n, int) and isinstance(t, str) for t, n in manifest.rows.items())
                and all(len(pair) == 2 for pair in manifest.migrations)
                and isinstance(manifest.dump_sha256, str)
                and isinstance(manifest.schema, str)
            )
        except (KeyError, TypeError, AttributeError):
            well = False
        if not well:
            raise BackupRefused("its manifest is damaged")
        return manifest


@contextmanager
def scratch_beside(target: Path) -> Iterator[Path]:
    """A private directory (0700) on the file system of `target`, gone afterwards."""
    try:
        directory = tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.absolute().parent)
    except OSError as error:
        raise BackupRefused(f"{target} cannot be written: {error.strerror}") from None
    with directory as name:
        yield Path(name)


def write(scratch: Path, target: Path, manifest: Manifest, dump: Path, keys: Sequence[str]) -> Manifest:
    """Packs `dump` in `scratch` and renames the whole to `target`; the manifest with its checksum."""
    full = Manifest(**{**asdict(manifest), "dump_sha256": checksum(dump), "dump_bytes": dump.stat().st_size})
    packed = scratch / "packed"
    try:
        descriptor = os.open(packed, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as bundle:
                bundle.writestr(MANIFEST, json.dumps(asdict(full), indent=1, sort_keys=True))
                if keys:
                    bundle.writestr(KEYS, json.dumps(list(keys)))
                bundle.write(dump, DUMP)
            file.flush()
            os.fsync(file.fileno())
        packed.replace(target)
    except OSError as error:
        raise BackupFailed(f"{target} could not be written: {error.strerror or error}") from None
    return full


def read(source: Path, scratch: Path) -> tuple[Manifest, Path, list[str]]:
    """The manifest, the dump (unpacked into `scratch`) and the keys of a backup, its checksum compared.

    Raises BackupRefused for what is not a whole and undamaged backup.
    """
    try:
        with zipfile.ZipFile(source) as bundle:
            names = set(bundle.namelist())
            if not {MANIFEST, DUMP} <= names:
                raise BackupRefused(f"{source} is not a backup of North Star")
            if bundle.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
                raise BackupRefused(f"{source}: its manifest is damaged")
            try:
                manifest = Manifest.of(json.loads(bundle.read(MANIFEST)))
            except ValueError:
                raise BackupRefused(f"{source}: its manifest is damaged") from None
            except BackupRefused as refusal:
                raise BackupRefused(f"{source}: {refusal}") from None
            keys = json.loads(bundle.read(KEYS)) if KEYS in names else []
            dump = scratch / DUMP
            with bundle.open(DUMP) as packed, dump.open("xb") as unpacked:
                while chunk := packed.read(CHUNK):
                    unpacked.write(chunk)
    except FileNotFoundError:
        raise BackupRefused(f"{source} does not exist") from None
    except OSError as error:
        raise BackupRefused(f"{source} cannot be read: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise BackupRefused(f"{source} is not a backup of North Star, or it is damaged or cut off") from None
    if checksum(dump) != manifest.dump_sha256:
        raise BackupRefused(f"{source} is damaged: the checksum of its database does not match")
    return manifest, dump, [str(key) for key in keys]


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
