"""What every test finds: a real PostgreSQL 18, and settings that no `.env` of the developer's leaks into.

With `DATABASE_URL` in the environment that server is used. Otherwise the first process of the run (xdist's
controller) starts the embedded one in a temporary data directory; its workers inherit the address, and the
server ends with the run, even a killed one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import settings as hypothesis_settings

from northstar.stack import session
from northstar.stack.layout import Layout
from northstar.stack.postgres import SUPERUSER

STARTED: list[tuple[session.Session, Path]] = []


def _prepare() -> None:
    """Runs while pytest loads this file, before anything reads the settings."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "northstar.settings"
    os.environ["NORTHSTAR_ENV_FILE"] = os.devnull
    for name in ("NORTHSTAR_PRODUCTION", "DEBUG", "REDIS_URL", "DATABASE_OWNER_URL", "DATABASE_POOL", "DEMO"):
        os.environ.pop(name, None)
    if "PYTEST_XDIST_WORKER" in os.environ and "NORTHSTAR_TEST_DATA" in os.environ:
        return
    data = Path(tempfile.mkdtemp(prefix="northstar-tests-"))
    data.chmod(0o711)  # PostgreSQL's user passes through when the tests run as root
    (data / "data" / "static").mkdir(parents=True)  # whitenoise warns of a missing one
    os.environ["NORTHSTAR_TEST_DATA"] = os.environ["NORTHSTAR_DATA"] = str(data / "data")
    layout = Layout.of(data / "data")
    if not os.environ.get("DATABASE_URL"):
        STARTED.append((session.join(layout, disposable=True), data))
        os.environ["DATABASE_URL"] = f"postgres://{SUPERUSER}@{quote(str(layout.sockets), safe='')}/northstar"
    else:
        STARTED.append((session.Session(layout, None), data))


_prepare()
hypothesis_settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis_settings.register_profile("search", deadline=None, max_examples=1000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Settings that only tests want: fast hashing, static files without a manifest, a cache in memory."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops what this process has started, and removes its files."""
    while STARTED:
        joined, data = STARTED.pop()
        joined.leave_and_wait()
        shutil.rmtree(data, ignore_errors=True)
