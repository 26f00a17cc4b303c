"""The layers hold for every package: a stray `helpers/` fails here before everybody imports it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# These may import anything; a contract forbids that anything imports them.
OUTSIDE = {"demo", "benchmarks", "tests"}
FILES = {"manage.py", "conftest.py"}


def test_every_package_has_its_layer() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    packages = {each.parent.name for each in ROOT.glob("*/*.py") if not each.parent.name.startswith(".")}
    assert packages - OUTSIDE == set(told["root_packages"])
    layers = next(each["layers"] for each in told["contracts"] if each["type"] == "layers")
    assert set(layers) == set(told["root_packages"])


def test_no_module_lies_beside_the_packages() -> None:
    assert {each.name for each in ROOT.glob("*.py")} == FILES
