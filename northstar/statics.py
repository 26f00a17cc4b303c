"""The static files: hashed, compressed, and collected once for every state of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import brotli
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

# The best quality (11) makes the charts' script 12 % smaller than this, and the first start 9 s longer.
BROTLI_QUALITY = 6


class QuickCompressor(Compressor):  # type: ignore[misc, unused-ignore]
    """whitenoise's compressor with a brotli that does not hold up the first start."""

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        return bytes(brotli.compress(data, quality=BROTLI_QUALITY))


class QuickStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc, unused-ignore]
    """Names with a hash in them, gzip and brotli beside each file."""

    def create_compressor(self, **options: Any) -> Compressor:
        return QuickCompressor(**options)


def collect() -> bool:
    """Fills STATIC_ROOT if any file has changed since the last time. Returns whether it did."""
    stamp = Path(settings.STATIC_ROOT) / ".state"
    state = fingerprint()
    if stamp.exists() and stamp.read_text() == state:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(state)
    return True


def is_collected() -> bool:
    """Whether there is a list of the static files, without which no page can be drawn."""
    return (Path(settings.STATIC_ROOT) / QuickStorage.manifest_name).exists()


def fingerprint() -> str:
    """A digest of names, sizes and times of all static files, and of how they are stored."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list(None):
            found = Path(storage.path(name)).stat()
            digest.update(f"{storage.location}\0{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
