"""Fixtures that tests of several packages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from northstar.stack import valkey
from northstar.stack.layout import Layout


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Valkey, one for each test process.

    Tests that write to it clean up or use own keys.
    """
    layout = Layout.of(Path(tmp_path_factory.mktemp("valkey")) / "data").prepare()
    server = valkey.start(layout)
    yield valkey.url(layout)
    server.end()
