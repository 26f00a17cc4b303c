"""Commands refuse what makes no sense before they do anything, and end well where their reader goes away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.metrics import making

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["values", "signals"])
def test_a_window_without_a_day_is_refused(command: str) -> None:
    making.metric("orders")
    window = ["--from", "2026-05-01", "--to", "2026-05-01"]
    with pytest.raises(CommandError) as refused:
        call_command(command, "orders", "--grain", "month", *window)
    assert refused.value.returncode == 2
    assert "--from must lie before --to" in str(refused.value)


def test_a_day_that_is_none_is_named_with_an_example() -> None:
    with pytest.raises(CommandError, match="'2026-13-01' is not a date; write it like 2026-07-31"):
        call_command("demo", "--today", "2026-13-01")


def test_a_reader_that_goes_away_sees_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, "manage.py", "diffsettings", "--all"]
        done = subprocess.run(
            command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
