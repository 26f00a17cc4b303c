"""Keys of an installation that was given none: made once, kept in the data directory (0600)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from northstar.stack.layout import make_data_directory


def kept(path: Path, make: Callable[[], str]) -> str:
    """The key in the file at `path`; made there first (mode 0600) if there is none.

    Two processes that start at the same moment get the same key: the file appears complete or not at all.
    """
    if not path.exists():
        make_data_directory(path.parent)
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            path.hardlink_to(scratch)
        except FileExistsError:
            pass
        finally:
            scratch.unlink()
    return path.read_text().strip()
