"""Fixtures of this package's tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.metrics.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """An empty shop whose warehouse is a DuckDB file."""
    from tests.metrics.shop import Shop  # models cannot be imported before Django is set up

    return Shop(tmp_path / "shop.duckdb")
