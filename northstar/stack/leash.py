"""Stands between a parent and its child where the system has no death signal (macOS).

`leash.py DESCRIPTOR SIGNAL COMMAND...` runs the command, passes signals on to it, ends with its exit code,
and sends it SIGNAL when the pipe at DESCRIPTOR closes, which happens when the parent dies.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from types import FrameType

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
PATIENCE = 20.0


def main(arguments: list[str]) -> int:
    """Runs until the child ends. Returns the child's exit code, as a shell would say it."""
    reader, death_signal, command = int(arguments[0]), int(arguments[1]), arguments[2:]
    os.set_inheritable(reader, False)
    child = subprocess.Popen(command, close_fds=False)  # noqa: S603 (our own parent gave the command)

    def pass_on(which: int, frame: FrameType | None) -> None:
        if child.poll() is None:
            child.send_signal(which)

    for which in PASSED_ON:
        signal.signal(which, pass_on)
    while child.poll() is None:
        readable, _, _ = select.select([reader], [], [], 0.1)
        if readable and not os.read(reader, 1):
            child.send_signal(death_signal)
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
            break
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
