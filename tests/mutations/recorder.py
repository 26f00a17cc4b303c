"""A pytest plugin that notes, for each check, the tests in which it refuses or narrows something.

Only such a test can notice that the check is gone. Notes are lines of `place TAB test` in files beside each
other, one for each process, in the directory that NORTHSTAR_NOTES names.
"""

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTES = Path(os.environ.get("NORTHSTAR_NOTES", str(ROOT / "artifacts" / "checks")))
SEEN: set[tuple[str, str]] = set()
NOW = {"test": ""}


def place_of(frame: FrameType | None) -> str:
    if frame is None:
        return ""
    path = Path(frame.f_code.co_filename)
    if not path.is_relative_to(ROOT):
        return ""
    return f"{path.relative_to(ROOT)}:{frame.f_lineno}"


def note(place: str) -> None:
    if place and NOW["test"]:
        SEEN.add((place, NOW["test"]))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Listens where every check passes: `can`, which `require` asks, and the filter of what is visible."""
    import django

    django.setup()
    from metrics.queries import scope
    from owners import rules

    real_can, real_filter = rules.can, rules.visibility_filter

    def can(user: Any, permission: str, obj: Any = None) -> bool:
        allowed = real_can(user, permission, obj)
        caller = sys._getframe(1)
        if not allowed and caller.f_code.co_name == "require":
            note(place_of(caller.f_back))
            note(f"owners/rules.py:{permission}")
        return allowed

    def visibility_filter(user: Any) -> Any:
        found = real_filter(user)
        caller = sys._getframe(1)
        if found:
            note(place_of(caller.f_back if caller.f_code.co_name == "visible_metrics" else caller))
        return found

    rules.can = can
    rules.visibility_filter = scope.visibility_filter = visibility_filter


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
