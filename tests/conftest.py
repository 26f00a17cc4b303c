"""Fixtures that tests of several packages share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from northstar.stack import valkey
from northstar.stack.layout import Layout


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """The address of a real Valkey, one for each test process.

    Tests that write to it clean up or use own keys.
    """
    place = Path(tempfile.mkdtemp(prefix="northstar-tests-"))
    place.chmod(0o711)  # else, as root, the layout would reserve a place outside of it for PostgreSQL
    layout = Layout.of(place / "data").prepare()
    server = valkey.start(layout)
    yield valkey.url(layout)
    server.end()
    shutil.rmtree(place, ignore_errors=True)
