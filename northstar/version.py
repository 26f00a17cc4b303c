"""The version of this program, as its project file says."""

import tomllib
from functools import cache
from pathlib import Path


@cache
def version() -> str:
    """Such as "0.1.0"; "unknown" where the project's file is not there."""
    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    try:
        return str(tomllib.loads(project.read_text())["project"]["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return "unknown"
