"""Where an installation's servers keep their files, sockets and binaries.

Everything lies in the data directory (`NORTHSTAR_DATA`), with two exceptions that this module decides and
remembers in the data directory's `layout.json`:

* PostgreSQL refuses to run as root. Started by root it runs as another user, and where that user cannot
  enter the data directory, its files lie under `/var/lib/northstar` instead.
* A unix socket's path may have 107 bytes (103 on macOS). Where the data directory's path is too long, the
  sockets lie in a short directory of their own under `/tmp`, mode 0700 and checked for its owner.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from northstar.stack.errors import StackError

SOCKET_PATH_LIMIT = 103  # bytes of sun_path that both macOS (104 with the NUL) and Linux (108) allow
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"
SYSTEM_HOME = Path("/var/lib/northstar")
SHORT_HOME = Path("/tmp")  # noqa: S108 (the directory below it is made 0700 and its owner is checked)
# The first that exists runs PostgreSQL when root starts it. Each has fewer rights than root; none can log in.
UNPRIVILEGED_USERS = ("postgres", "daemon", "nobody")


@dataclass(frozen=True)
class Layout:
    """The places of one installation.

    `postgres_user` is the system user that PostgreSQL runs as, if not our own.
    """

    data: Path
    cluster: Path
    sockets: Path
    bell: Path
    postgres_user: str | None

    @classmethod
    def of(cls, data: Path) -> Layout:
        """The layout that the data directory remembers, else the one that it would get. Touches nothing."""
        data = data.absolute()
        remembered = data / "layout.json"
        try:
            told = json.loads(remembered.read_text())
        except FileNotFoundError:
            return _decide(data)
        except (OSError, ValueError) as error:
            raise StackError(f"{remembered} cannot be read: {error}") from error
        return cls(
            data=data,
            cluster=_place(told["cluster"], data),
            sockets=_place(told["sockets"], data),
            bell=_place(told["bell"], data),
            postgres_user=told["postgres_user"],
        )

    def prepare(self) -> Layout:
        """Makes the directories, checks their owners, and remembers the layout. Safe to repeat."""
        inside = self.cluster.is_relative_to(self.data)
        make_data_directory(self.data)
        if self.postgres_user and inside:
            self.data.chmod(0o711)  # PostgreSQL's user passes through; the files in it stay ours alone
        if not inside:
            self.cluster.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
        owner = pwd.getpwnam(self.postgres_user).pw_uid if self.postgres_user else os.geteuid()
        own_directory(self.cluster, owner)
        own_directory(self.sockets, owner)
        own_directory(self.bell, os.geteuid())
        (self.data / "log").mkdir(mode=0o700, exist_ok=True)
        told = {name: _told(value, self.data) for name, value in asdict(self).items() if name != "data"}
        text = json.dumps(told, indent=1)
        remembered = self.data / "layout.json"
        if not remembered.exists() or remembered.read_text() != text:
            scratch = remembered.with_suffix(f".{os.getpid()}")
            scratch.write_text(text)
            scratch.replace(remembered)
        return self

    @property
    def bell_socket(self) -> Path:
        """Valkey's unix socket."""
        return self.bell / "valkey.sock"


def make_data_directory(data: Path) -> Path:
    """Makes the data directory, closed to others. Raises StackError where that cannot be done."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StackError(f"The data directory {data} cannot be made: {error.strerror}") from error
    return data


def own_directory(path: Path, owner: int) -> None:
    """Makes `path` a directory of mode 0700 of `owner`, and refuses one that is anybody else's."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise StackError(f"{path} cannot be made: {error.strerror}") from error
    else:
        if owner != os.geteuid():
            os.chown(path, owner, -1)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {owner, os.geteuid()}:
        raise StackError(f"{path} belongs to somebody else, so no server will be put there.")
    if found.st_uid != owner:
        os.chown(path, owner, -1)
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)


def others_can_enter(path: Path) -> bool:
    """Whether a user without any special right can reach `path` (the parts of it that exist)."""
    for part in (path, *path.parents):
        try:
            if not part.stat().st_mode & stat.S_IXOTH:
                return False
        except FileNotFoundError:
            continue
    return True


def unprivileged_user() -> str:
    """The system user that runs PostgreSQL when root starts it."""
    for name in UNPRIVILEGED_USERS:
        try:
            if pwd.getpwnam(name).pw_uid != 0:
                return name
        except KeyError:
            continue
    raise StackError(
        "PostgreSQL does not run as root, and none of the users "
        f"{', '.join(UNPRIVILEGED_USERS)} exists. Start North Star as an ordinary user, or set DATABASE_URL."
    )


def _decide(data: Path) -> Layout:
    key = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    as_root = os.geteuid() == 0
    cluster = data / "postgres"
    # The data directory itself need not be open: `prepare` lets PostgreSQL's user pass through it.
    if as_root and (not others_can_enter(data.parent) or not _fits(cluster / "run")):
        cluster = _unused(SYSTEM_HOME, key)
    sockets = cluster / "run"
    bell = data / "run"
    owner = "root" if as_root else str(os.geteuid())
    if not _fits(sockets):
        sockets = SHORT_HOME / f"northstar-{owner}-{key}"
    if not _fits(bell):
        bell = SHORT_HOME / f"northstar-{owner}-{key}-bell"
    return Layout(data, cluster, sockets, bell, unprivileged_user() if as_root else None)


def _unused(home: Path, key: str) -> Path:
    """A new data directory never opens the database that a deleted one of the same name has left behind."""
    number = 1
    while (home / f"{key}-{number}").exists():
        number += 1
    return home / f"{key}-{number}"


def _fits(directory: Path) -> bool:
    return len(os.fsencode(directory / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT


def _told(value: object, data: Path) -> str | None:
    """Places inside the data directory are remembered relative to it, so that it can be moved."""
    if isinstance(value, Path):
        return str(value.relative_to(data)) if value.is_relative_to(data) else str(value)
    return None if value is None else str(value)


def _place(told: str, data: Path) -> Path:
    return data / told
