"""Finds Plotly.js for the pages, under one name, whichever bundle this installation has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import plotly
from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage
from plotly.offline import get_plotlyjs_version

NAME = "plotly/plotly.min.js"
BASIC_PACKAGE = "plotly.js-basic-dist-min"


def basic_bundle(node_modules: Path) -> Path | None:
    """The small bundle from npm, if it is installed in just the version that the plotly wheel carries."""
    package = node_modules / BASIC_PACKAGE
    try:
        version = json.loads((package / "package.json").read_text())["version"]
    except (OSError, ValueError, KeyError):
        return None
    bundle = package / "plotly-basic.min.js"
    return bundle if version == get_plotlyjs_version() and bundle.is_file() else None


def full_bundle() -> Path:
    """The bundle with every chart type out of the plotly wheel: three times as large, always there."""
    return Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


class _OneFile(FileSystemStorage):
    """A storage that shows one file under another name."""

    def __init__(self, name: str, file: Path) -> None:
        super().__init__(location=str(file.parent))
        self._name = name
        self._file = file
        self.prefix = ""  # collectstatic asks for it

    def path(self, name: str) -> str:
        return str(self._file) if name == self._name else super().path(name)


class PlotlyFinder(BaseFinder):
    """Serves npm's basic bundle if it is there, else the wheel's full one, as `plotly/plotly.min.js`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.file = basic_bundle(Path(settings.BASE_DIR) / "node_modules") or full_bundle()
        self.storage = _OneFile(NAME, self.file)

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path != NAME:
            return []
        return [str(self.file)] if find_all else str(self.file)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        yield NAME, self.storage
