"""Child processes that die with their parent, however the parent dies.

Linux tells a child of its parent's death by a signal (`PR_SET_PDEATHSIG`). Elsewhere a small process stands
between (`northstar.stack.leash`): it reads a pipe whose other end only the parent holds, and ends the child
when that closes.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
HAS_DEATH_SIGNAL = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None, use_errno=True) if HAS_DEATH_SIGNAL else None


class Child:
    """A running child. `end` asks it to stop with its own signal, and insists after a while."""

    def __init__(
        self, process: subprocess.Popen[bytes], leash: int | None, stop_signals: Sequence[int]
    ) -> None:
        self.process = process
        self.stop_signals = stop_signals
        self._leash = leash

    @property
    def pid(self) -> int:
        return self.process.pid

    def ended(self) -> int | None:
        """The exit code, or None while it runs."""
        return self.process.poll()

    def ask(self, which: int) -> None:
        """Sends a signal; one that has ended already is no mistake."""
        if self.process.poll() is None:
            self.process.send_signal(which)

    def end(self, patience: float = 10.0) -> int:
        """Sends the stop signals one after the other, each with `patience` seconds to act, then SIGKILL."""
        for which in (*self.stop_signals, signal.SIGKILL):
            self.ask(which)
            try:
                code = self.process.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                continue
            self.release()
            return code
        code = self.process.wait()
        self.release()
        return code

    def release(self) -> None:
        """Closes our end of the leash, where there is one."""
        if self._leash is not None:
            os.close(self._leash)
            self._leash = None


def spawn(
    command: Sequence[str | Path],
    *,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: IO[bytes] | int | None = None,
    keep: Sequence[int] = (),
    death_signal: int = signal.SIGTERM,
    stop_signals: Sequence[int] = (signal.SIGTERM,),
    leash: bool = not HAS_DEATH_SIGNAL,
) -> Child:
    """Starts `command` bound to this process's life, in a session of its own (a Ctrl-C at the terminal is
    for us).

    `user` is the system user that it runs as, `keep` are descriptors that it inherits, `output` takes its
    standard output and error. Call this from the main thread: Linux sends `death_signal` when the *thread*
    that started the child ends.
    """
    words = [str(word) for word in command]
    reader = writer = None
    if leash:
        reader, writer = os.pipe()
        words = [
            sys.executable,
            str(Path(__file__).with_name("leash.py")),
            str(reader),
            str(death_signal),
            *words,
        ]
        keep = (*keep, reader)
    process = subprocess.Popen(  # noqa: S603 (the words are ours)
        words,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        pass_fds=tuple(keep),
        start_new_session=True,
        preexec_fn=_before_exec(user, None if leash else death_signal, os.getpid()),
    )
    if reader is not None:
        os.close(reader)
    return Child(process, writer, stop_signals)


def become(user: str) -> None:
    """Gives up root for `user` and its groups, for good."""
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def die_with_parent(death_signal: int, parent: int) -> None:
    """Asks Linux for `death_signal` when the parent dies; ends at once if it has died already."""
    if _libc is None:
        return
    if _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        os.kill(os.getpid(), death_signal)


def _before_exec(user: str | None, death_signal: int | None, parent: int) -> Callable[[], None]:
    def prepare() -> None:
        if user is not None:
            become(user)  # first: changing the user clears the death signal
        if death_signal is not None:
            die_with_parent(death_signal, parent)

    return prepare
