"""Keeps the shared PostgreSQL of one data directory: `python -m northstar.stack.keeper DATA [--disposable]`.

Every process that uses the database holds `users.lock` as a sharer (see `session`). The keeper starts the
server, restarts it if it dies, and asks again and again for that lock alone: the moment it gets it, nobody
is left, killed users included, and it stops the server while newcomers wait. There is one keeper for a data
directory (`keeper.lock`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from northstar.stack import postgres
from northstar.stack.errors import StackError
from northstar.stack.layout import Layout
from northstar.stack.locks import FileLock

LOOK_EVERY = 0.1
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0


class Keeper:
    """Runs until nobody uses the server any more, or until it is asked to stop."""

    def __init__(self, layout: Layout, disposable: bool) -> None:
        self.layout = layout
        self.disposable = disposable
        self.stopping = False

    def stop(self, which: int, frame: FrameType | None) -> None:
        self.stopping = True

    def run(self) -> int:
        """Returns the exit code: 0 stopped, or another keeper is at work; 1 the server did not start."""
        with (
            FileLock.open(self.layout.data / "keeper.lock") as duty,
            FileLock.open(self.layout.data / "users.lock") as users,
        ):
            if not duty.try_exclusive():
                return 0
            duty.note(str(os.getpid()))
            for which in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(which, self.stop)
            code = self._keep(users)
            # In this order: a newcomer who gets `users.lock` must find the duty free.
            duty.close()
            return code

    def _keep(self, users: FileLock) -> int:
        pause = 0.0
        while True:
            started = time.monotonic()
            try:
                server = postgres.start(self.layout, disposable=self.disposable)
            except StackError as error:
                say(str(error))
                return 1
            say(f"running (pid {server.child.pid})")
            while not self.stopping and server.child.ended() is None:
                if users.try_exclusive():
                    self.stopping = True
                    break
                time.sleep(LOOK_EVERY)
            if self.stopping:
                server.stop()
                say("stopped")
                return 0
            server.lock.close()
            steady = time.monotonic() - started > STEADY_AFTER
            pause = 0.0 if steady else min(LONGEST_PAUSE, 2 * pause + 0.5)
            say(f"ended unexpectedly (code {server.child.ended()}); starting again in {pause:.1f} s")
            time.sleep(pause)


def say(line: str) -> None:
    """One line for the terminal of `up`, or for keeper.log."""
    with contextlib.suppress(OSError):  # of a terminal that has gone
        print(f"{time.strftime('%H:%M:%S')} postgres   {line}", flush=True)


def main(arguments: list[str]) -> int:
    disposable = "--disposable" in arguments
    places = [word for word in arguments if not word.startswith("--")]
    try:
        layout = Layout.of(Path(places[0])).prepare()
    except StackError as error:
        say(str(error))
        return 1
    return Keeper(layout, disposable).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
