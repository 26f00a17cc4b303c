"""Settings: all documented, and production refuses what would be unsafe."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings

from northstar.keys import kept

ROOT = Path(settings.BASE_DIR)
READ = re.compile(r"""(?:\benv(?:\.\w+)?|_required)\(\s*["']([A-Z][A-Z0-9_]+)["']""")
LISTED = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \|", re.MULTILINE)
GOOD = {
    "NORTHSTAR_ENV_FILE": os.devnull,
    "NORTHSTAR_PRODUCTION": "true",
    "SECRET_KEY": "q8Zr-3kPVw5nYt2Xb7Lm_9cHd4Fs6Gj1Ku0Ea-RoTiWzNyBvMxCpDqSfUh",
    "NORTHSTAR_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "DATABASE_URL": "postgres://app:secret@db/northstar",
    "REDIS_URL": "redis://redis:6379/0",
    "ALLOWED_HOSTS": "northstar.example",
}


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def documented() -> tuple[set[str], set[str]]:
    """The names in docs/settings.md: those of the program, and those only for docker compose."""
    program, compose = (ROOT / "docs" / "settings.md").read_text().split("## Only for")
    return set(LISTED.findall(program)), set(LISTED.findall(compose))


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    read = set(READ.findall((ROOT / "northstar" / "settings.py").read_text()))
    assert len(read) > 20
    assert read == documented()[0]


def test_the_example_file_names_only_documented_settings() -> None:
    program, compose = documented()
    named = set(re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named
    assert named <= program | compose


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY must be set"),
        ({"SECRET_KEY": "short-and-random-8Zr3kPVw5nYt2Xb7"}, "at least 50 characters"),
        ({"SECRET_KEY": "a" * 60}, "must be random"),
        ({"SECRET_KEY": "django-insecure-8Zr3kPVw5nYt2Xb78Zr3kPVw5nYt2Xb7Lm9cHd4"}, "must be random"),
        ({"NORTHSTAR_ENCRYPTION_KEYS": ""}, "NORTHSTAR_ENCRYPTION_KEYS must be set"),
        ({"NORTHSTAR_ENCRYPTION_KEYS": "not-a-key"}, "must be Fernet keys"),
        ({"DATABASE_URL": ""}, "DATABASE_URL must be set"),
        ({"REDIS_URL": ""}, "REDIS_URL must be set"),
        ({"DEBUG": "true"}, "DEBUG shows secrets"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_production_refuses_to_start(changed: dict[str, str], said: str, tmp_path: Path) -> None:
    result = run(["up"], {**GOOD, **changed, "NORTHSTAR_DATA": str(tmp_path / "data")})
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "data").exists(), "it made something all the same"


def test_the_deployment_check_finds_nothing(tmp_path: Path) -> None:
    result = run(
        ["check", "--deploy", "--fail-level", "WARNING"], {**GOOD, "NORTHSTAR_DATA": str(tmp_path / "data")}
    )
    assert result.returncode == 0, result.stderr


def test_a_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"
    first = kept(path, lambda: "one")
    assert kept(path, lambda: "two") == first == "one"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["key"]


def test_the_database_urls_host_may_be_a_sockets_directory() -> None:
    from northstar.addresses import database_of

    assert database_of("postgres://me@%2FVar%2Frun/name")["HOST"] == "/Var/run"
    assert database_of("postgres://me:pass@db:5433/name")["HOST"] == "db"
    assert database_of("postgres://me:pass@db:5433/name")["PORT"] == 5433


def test_health_checks_of_connections_are_on() -> None:
    assert settings.DATABASES["default"].get("CONN_HEALTH_CHECKS") is True
