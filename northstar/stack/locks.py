"""File locks of the kind that a killed process cannot leave behind (`flock`)."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType


class FileLock:
    """One open lock file.

    The kernel frees the lock when the last process that holds this descriptor has gone.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> FileLock:
        """Opens (and makes, mode 0600) the lock file without locking it."""
        return cls(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def try_exclusive(self) -> bool:
        """Takes the lock for this process alone, if nobody holds it. Returns whether it did."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Takes the lock beside other sharers, if nobody holds it alone. Returns whether it did."""
        return self._try(fcntl.LOCK_SH)

    def exclusive(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds for the lock. Returns whether it was taken."""
        deadline = time.monotonic() + timeout
        while not self.try_exclusive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def shared(self) -> None:
        """Waits for the lock as one of several sharers, for as long as it takes."""
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    def note(self, text: str) -> None:
        """Writes who holds the lock into the file, for people who look."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def read(self) -> str:
        """What the holder noted."""
        return os.pread(self.descriptor, 4096, 0).decode(errors="replace").strip()

    def close(self) -> None:
        """Frees the lock, unless a child still holds the descriptor."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _try(self, operation: int) -> bool:
        try:
            fcntl.flock(self.descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_held(path: Path) -> bool:
    """Whether some process holds the lock at `path` alone. A missing file is not held."""
    if not path.exists():
        return False
    with FileLock.open(path) as lock:
        return not lock.try_shared()
