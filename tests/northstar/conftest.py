"""Fixtures for tests of the stack: directories that PostgreSQL's user can enter, and processes that end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from northstar.stack.layout import Layout
from tests.northstar.places import processes_of, wait_until


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short path that every user may pass through, as a checkout in /srv would have.

    Afterwards nothing of an installation in it may be left running.
    """
    directory = Path(tempfile.mkdtemp(prefix="ns-", dir="/tmp"))
    directory.chmod(0o711)
    yield directory
    left: list[str] = []
    try:
        wait_until(lambda: not processes_of(directory), "the end of all processes", 20)
    except AssertionError:
        for process in processes_of(directory):
            left.append(" ".join(process.cmdline()))
            process.kill()
    shutil.rmtree(directory, ignore_errors=True)
    assert not left, f"still running after the test: {left}"


@pytest.fixture
def layout(place: Path) -> Layout:
    """The layout of a new installation."""
    return Layout.of(place / "data")
