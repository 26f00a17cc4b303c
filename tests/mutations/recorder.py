"""A pytest plugin that notes, for each check, the tests in which it refuses or narrows something.

Only such a test can notice that the check is gone. Notes are lines of `place TAB test` in files beside each
other, one for each process, in the directory that NORTHSTAR_NOTES names.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.mutations import listening
from tests.mutations.listening import ROOT

NOTES = Path(os.environ.get("NORTHSTAR_NOTES", str(ROOT / "artifacts" / "checks")))
SEEN: set[tuple[str, str]] = set()
NOW = {"test": ""}


def note(place: str) -> bool:
    """Writes the place down; the check stays."""
    if place and NOW["test"]:
        SEEN.add((place, NOW["test"]))
    return False


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    listening.listen(note)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    NOW["test"] = item.nodeid
    try:
        return (yield)
    finally:
        NOW["test"] = ""


def pytest_unconfigure(config: pytest.Config) -> None:
    if SEEN:
        NOTES.mkdir(parents=True, exist_ok=True)
        lines = sorted(f"{place}\t{test}" for place, test in SEEN)
        (NOTES / f"{os.getpid()}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
