"""An installation filled through the commands, as a stranger would fill it, and undone after the module."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples"


def run(*words: str) -> str:
    """A management command's output."""
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


@contextmanager
def installation(blocker: Any, **environment: str) -> Iterator[None]:
    """A database to fill that is rolled back in the end, with variables of the environment set."""
    with pytest.MonkeyPatch.context() as patch, blocker.unblock(), transaction.atomic():
        for name, value in environment.items():
            patch.setitem(os.environ, name, value)
        try:
            yield
        finally:
            transaction.set_rollback(True)
