"""`manage.py up`: the whole system in one process tree, mended when it breaks."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from northstar.stack import session, valkey
from northstar.stack.children import Child, spawn
from northstar.stack.errors import StackError
from northstar.stack.health import answers
from northstar.stack.layout import Layout
from northstar.stack.locks import FileLock

ROOT = Path(__file__).resolve().parent.parent.parent
LOOK_EVERY = 0.1
LONGEST_PAUSE = 30.0  # seconds between two tries of a child that keeps failing
STEADY_AFTER = 60.0  # a child that ran this long starts anew with the shortest pause
URL_PATIENCE = 120.0
STOP_PATIENCE = {"worker": 20.0, "web": 10.0}


@dataclass
class Part:
    """One child of the tree, how to start it, and how often that has failed of late."""

    name: str
    start: Callable[[], Child]
    child: Child | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause: float = 0.0


@dataclass
class Plan:
    """What `up` is to run. `database` and `bell` are None where servers of other people are used."""

    data: Path
    bind: str
    port: int
    database: Layout | None
    bell: Layout | None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.bind, self.bind)  # noqa: S104 (a comparison)
        return f"http://{host}:{self.port}/"


class Supervisor:
    """Runs a plan until it is told to stop, all in the main thread: children are bound to its life."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.parts: list[Part] = []
        self.stop_asked = threading.Event()
        self._session: session.Session | None = None

    def run(self) -> int:
        """Returns the exit code: 0 after a stop that was asked for, 1 when the start failed."""
        self.plan.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock.open(self.plan.data / "up.lock") as lock:
            if not lock.try_exclusive():
                say("up", f"already running on {self.plan.data} (pid {lock.read() or 'unknown'})")
                return 1
            lock.note(str(os.getpid()))
            for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(which, self._ask_to_stop)
            try:
                self._start()
                self._watch()
                return 0
            except StackError as error:
                say("up", str(error))
                return 1
            except _Stopped:
                return 0
            finally:
                self._stop()

    def _ask_to_stop(self, which: int, frame: FrameType | None) -> None:
        self.stop_asked.set()

    def _start(self) -> None:
        self._refuse_taken_port()
        if self.plan.database is not None:
            say("postgres", "starting")
            self._session = session.join(self.plan.database, aloud=True)
        if self.plan.bell is not None:
            bell = self.plan.bell.prepare()
            self._add("valkey", lambda: valkey.start(bell))
        self._once("prepare", "migrations, rights and static files", must=True)
        for name in ("web", "worker", "scheduler"):
            self._add(name, lambda name=name: self._command(name))  # type: ignore[misc]
        self._wait_for_url()
        say("up", f"North Star is at {self.plan.url}  (Ctrl-C stops it)")
        # `welcome` loads the demo or prints the first admin's link; the site is up meanwhile.
        self.parts.append(Part("welcome", lambda: self._command("welcome")))
        self._begin(self.parts[-1])

    def _watch(self) -> None:
        while not self.stop_asked.wait(LOOK_EVERY):
            self._look()

    def _look(self) -> None:
        """Restarts what has ended; a pause that doubles keeps a hopeless child from eating the machine."""
        if self._session is not None and not session.has_keeper(self._session.layout):
            say("postgres", "its keeper has ended; starting it again")
            self._session.mend(aloud=True)
        now = time.monotonic()
        for part in list(self.parts):
            if part.child is None:
                if now >= part.due_at:
                    self._begin(part)
            elif (code := part.child.ended()) is not None:
                part.child.release()
                part.child = None
                if part.name == "welcome":
                    self.parts.remove(part)
                    if code != 0:
                        say("welcome", f"ended with code {code}; the site goes on")
                    continue
                part.pause = self._next_pause(part, now)
                part.due_at = now + part.pause
                say(part.name, f"ended unexpectedly (code {code}); starting again in {part.pause:.1f} s")

    @staticmethod
    def _next_pause(part: Part, now: float) -> float:
        if now - part.started_at > STEADY_AFTER:
            return 0.5
        return min(LONGEST_PAUSE, 2 * part.pause or 0.5)

    def _add(self, name: str, start: Callable[[], Child]) -> None:
        part = Part(name, start)
        self.parts.append(part)
        self._begin(part, must=True)

    def _begin(self, part: Part, must: bool = False) -> None:
        part.started_at = time.monotonic()
        try:
            part.child = part.start()
        except StackError as error:
            if must:
                raise
            part.pause = self._next_pause(part, time.monotonic())
            part.due_at = time.monotonic() + part.pause
            say(part.name, f"{error}\ntrying again in {part.pause:.1f} s")
            return
        if part.name != "welcome":
            say(part.name, f"running (pid {part.child.pid})")

    def _command(self, *words: str) -> Child:
        return spawn(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env={**os.environ, **self.plan.environment, "PYTHONUNBUFFERED": "1"},
        )

    def _once(self, command: str, what: str, must: bool) -> None:
        say(command, what)
        child = self._command(command)
        while (code := child.ended()) is None:
            if self.stop_asked.wait(LOOK_EVERY):
                child.end()
                raise _Stopped
        child.release()
        if code != 0 and must:
            raise StackError(f"`manage.py {command}` failed (code {code}).")

    def _refuse_taken_port(self) -> None:
        family = socket.AF_INET6 if ":" in self.plan.bind else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.plan.bind, self.plan.port))
            except OSError as error:
                raise StackError(
                    f"{self.plan.bind}:{self.plan.port} cannot be used ({error.strerror}). "
                    "PORT=8001 (or BIND=...) chooses another."
                ) from error

    def _wait_for_url(self) -> None:
        deadline = time.monotonic() + URL_PATIENCE
        while time.monotonic() < deadline:
            if self.stop_asked.wait(LOOK_EVERY):
                raise _Stopped
            self._look()
            if answers(f"{self.plan.url}health/"):
                return
        raise StackError(f"The web server did not answer at {self.plan.url} within {URL_PATIENCE:.0f} s.")

    def _stop(self) -> None:
        """Backwards: first who asks for work, then who does it, the servers that they all need last."""
        # A second Ctrl-C must not leave half a tree behind; what hangs is killed after its patience anyway.
        for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(which, signal.SIG_IGN)
        if self.parts:
            say("up", "stopping")
        while self.parts:
            part = self.parts.pop()
            if part.child is not None:
                part.child.end(STOP_PATIENCE.get(part.name, 10.0))
                if part.name != "welcome":
                    say(part.name, "stopped")
        if self._session is not None:
            # Another command may go on using the database; then its keeper stays until that has ended.
            self._session.leave_and_wait(patience=10.0)


class _Stopped(Exception):
    """A stop was asked for before everything had started."""


def say(who: str, line: str) -> None:
    """One clear line per event."""
    print(f"{time.strftime('%H:%M:%S')} {who:<10} {line}", flush=True)
