"""Reads a text file that somebody names on the command line."""

import sys
from pathlib import Path

from django.core.management.base import CommandError


def read_text(file: str) -> str:
    """The file's text (UTF-8, with or without a mark), of standard input for `-`; CommandError if it cannot
    be read."""
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", returncode=2) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise CommandError(f"line {line}: the file is not UTF-8", returncode=2) from None
