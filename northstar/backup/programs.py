"""PostgreSQL's own programs for dumps: found, and run against the database that Django is connected to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
from django.conf import settings

from northstar.backup.errors import BackupFailed
from northstar.stack.binaries import postgres_home
from northstar.stack.errors import StackError

SAID = 2000  # characters of a program's complaint that are passed on


def find(name: str, server: int) -> Path:
    """The program `name` of at least the major version `server`.

    Looked for in PG_BIN (there alone, if it is set), beside the embedded server, and on the PATH. Raises
    BackupFailed where there is none.
    """
    seen = []
    for program in _candidates(name):
        major = _major(program)
        if major >= server:
            return program
        seen.append(f"{program} is of version {major}")
    why = "; ".join(seen) or "none was found"
    raise BackupFailed(
        f"{name} of PostgreSQL {server} or newer is needed: {why}. Install PostgreSQL's client programs, or "
        "set PG_BIN to the directory that holds them."
    )


def run(words: Sequence[str | Path], connection: psycopg.Connection | None = None) -> None:
    """Runs a program, against the database of `connection` if one is given. BackupFailed with its complaint
    if it does not end well."""
    environment = {
        name: value for name, value in os.environ.items() if name == "PATH" or not name.startswith("PG")
    }
    environment["LC_ALL"] = "C"
    words = [str(word) for word in words]
    if connection is not None:
        words.append(f"--dbname={connection.info.dsn}")  # without the password
        words.append("--no-password")
        if connection.info.password:
            environment["PGPASSWORD"] = connection.info.password
    done = subprocess.run(  # noqa: S603 (the words are ours)
        words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[-SAID:]
        raise BackupFailed(f"{Path(str(words[0])).name} failed: {said or f'code {done.returncode}'}")


def _candidates(name: str) -> list[Path]:
    if settings.PG_BIN:
        named = Path(settings.PG_BIN) / name
        return [named] if named.exists() else []
    found = []
    with suppress(StackError):  # installed without the embedded server
        found.append(postgres_home(None) / "bin" / name)
    on_path = shutil.which(name)
    if on_path:
        found.append(Path(on_path))
    return found


def _major(program: Path) -> int:
    try:
        told = subprocess.run(  # noqa: S603
            [program, "--version"], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return 0
    version = re.search(r"(\d+)(?:\.|\s|$|devel|beta|rc)", told)
    return int(version.group(1)) if version else 0
