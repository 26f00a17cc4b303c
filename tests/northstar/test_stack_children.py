"""Children die with their parent, by the system's death signal and by the leash alike."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from northstar.stack.children import HAS_DEATH_SIGNAL, spawn
from northstar.stack.locks import FileLock, is_held
from northstar.stack.session import ROOT
from tests.northstar.places import gone, wait_until

PARENT = """
import sys
from northstar.stack.children import spawn
child = spawn(["sleep", "600"], leash=sys.argv[1] == "leash")
print(child.pid, flush=True)
sys.stdin.read()
"""
WAYS = [
    "leash",
    pytest.param("signal", marks=pytest.mark.skipif(not HAS_DEATH_SIGNAL, reason="Linux has it")),
]


@pytest.mark.parametrize("way", WAYS)
def test_a_killed_parent_takes_its_child_along(way: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, way],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert not gone(child)
    parent.kill()
    parent.communicate()
    wait_until(lambda: gone(child), "the child's end", 10)


@pytest.mark.parametrize("leash", [True, False])
def test_a_child_ends_when_it_is_asked(leash: bool) -> None:
    child = spawn(["sleep", "600"], leash=leash)
    assert child.ended() is None
    code = child.end(patience=10)
    assert code in {-signal.SIGTERM, 128 + signal.SIGTERM}


def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    child = spawn(["sh", "-c", f"trap '' TERM; touch {ready}; sleep 600 & wait; sleep 600"])
    wait_until(ready.exists, "the child's start", 10)
    assert child.end(patience=0.2) == -signal.SIGKILL


def test_the_leash_passes_on_the_exit_code() -> None:
    child = spawn(["sh", "-c", "exit 7"], leash=True)
    assert child.process.wait(10) == 7
    child.release()


@pytest.mark.parametrize("leash", [True, False])
def test_an_inherited_lock_is_held_until_the_child_has_gone(tmp_path: Path, leash: bool) -> None:
    lock = FileLock.open(tmp_path / "lock")
    assert lock.try_exclusive()
    child = spawn(["sleep", "600"], keep=[lock.descriptor], leash=leash)
    lock.close()
    assert is_held(tmp_path / "lock")
    child.end()
    wait_until(lambda: not is_held(tmp_path / "lock"), "the lock's release", 10)


def test_locks() -> None:
    assert not is_held(Path("/nonexistent/lock"))


def test_sharers_keep_one_out_who_wants_it_alone(tmp_path: Path) -> None:
    one, two, three = (FileLock.open(tmp_path / "lock") for _ in range(3))
    assert one.try_shared()
    assert two.try_shared()
    assert not three.exclusive(timeout=0.05)
    one.close()
    two.close()
    assert three.exclusive(timeout=5)
    three.close()
