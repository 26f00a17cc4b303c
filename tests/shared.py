"""Published cases and real data that lie beside the checkout; tests that need them skip without them."""

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def cases(name: str) -> Any:
    """The parsed JSON of `cases/<name>.json`; skips the test where it is absent."""
    path = SHARED / "cases" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"published cases {name}.json are not beside this checkout", allow_module_level=True)
    return json.loads(path.read_text())


def data(name: str) -> Path:
    """The path of `data/<name>`; skips the test where it is absent."""
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"the data file {name} is not beside this checkout", allow_module_level=True)
    return path
