"""How a process joins the shared PostgreSQL of its data directory: start it if nobody has, hold it, leave."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from northstar.stack import postgres
from northstar.stack.errors import StackError
from northstar.stack.layout import Layout
from northstar.stack.locks import FileLock, is_held

ROOT = Path(__file__).resolve().parent.parent.parent
TRIES = 3
STOP_PATIENCE = 60.0


class Session:
    """A use of the shared server, from `join` to `leave` or to the process's death."""

    def __init__(
        self, layout: Layout, users: FileLock | None, keeper: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.layout = layout
        self.keeper = keeper  # the one that this process started, if it did
        self._users = users

    def leave(self) -> None:
        """The last one out stops the server (the keeper does, at once)."""
        if self._users is not None:
            self._users.close()

    def leave_and_wait(self, patience: float = STOP_PATIENCE) -> bool:
        """Leaves, then waits until the server and its keeper have ended. Returns whether they have.

        They stay where somebody else goes on using the database.
        """
        self.leave()
        stopped = wait_until_stopped(self.layout, patience)
        if stopped and self.keeper is not None:
            self.keeper.wait(patience)
        return stopped

    def mend(self, *, aloud: bool = False) -> None:
        """Brings the server back if its keeper has ended."""
        self.keeper = ensure(self.layout, aloud=aloud) or self.keeper

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


def join(layout: Layout, *, disposable: bool = False, aloud: bool = False) -> Session:
    """Joins the server of this layout's data directory, and starts a keeper for it if there is none.

    `disposable`: for tests, nothing is forced to disk. `aloud`: the keeper talks on our standard output
    instead of into its log. Returns when the server answers; raises StackError when it cannot be had.
    """
    layout.prepare()
    users = FileLock.open(layout.data / "users.lock")
    users.shared()  # waits while a keeper is just stopping the server
    try:
        keeper = ensure(layout, disposable=disposable, aloud=aloud)
    except BaseException:
        users.close()
        raise
    return Session(layout, users, keeper)


def ensure(
    layout: Layout, *, disposable: bool = False, aloud: bool = False
) -> subprocess.Popen[bytes] | None:
    """Waits until the server answers, with a new keeper where the last one has gone; returns a new one.

    For those who have joined.
    """
    for _ in range(TRIES):
        keeper = None if has_keeper(layout) else start_keeper(layout, disposable=disposable, aloud=aloud)
        while not postgres.answers(layout):
            if keeper is not None and keeper.poll() not in (None, 0):
                said = postgres.tail(layout.data / "log" / "keeper.log")
                raise StackError(f"The embedded PostgreSQL could not be started.\n{said}")
            if (keeper is None or keeper.poll() is not None) and not has_keeper(layout):
                break
            time.sleep(0.03)
        else:
            return keeper
    raise StackError(f"The embedded PostgreSQL of {layout.data} keeps ending; see {layout.data / 'log'}.")


def has_keeper(layout: Layout) -> bool:
    """Whether somebody keeps the server up."""
    return is_held(layout.data / "keeper.lock")


def start_keeper(layout: Layout, *, disposable: bool = False, aloud: bool = False) -> subprocess.Popen[bytes]:
    """Starts a keeper in a session of its own: it outlives the command that happened to come first."""
    words = [sys.executable, "-m", "northstar.stack.keeper", str(layout.data)]
    if disposable:
        words.append("--disposable")
    with (layout.data / "log" / "keeper.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 (the words are ours)
            words,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=None if aloud else log,
            stderr=None if aloud else subprocess.STDOUT,
            start_new_session=True,
        )


def wait_until_stopped(layout: Layout, patience: float = STOP_PATIENCE) -> bool:
    """Waits until no keeper is left. Returns whether that came about in time."""
    deadline = time.monotonic() + patience
    while has_keeper(layout):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True
