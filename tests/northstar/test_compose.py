"""docker-compose.yml: commands exist, variables are documented settings, each service has a health check."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management import get_commands

from tests.northstar.test_settings import documented

ROOT = Path(settings.BASE_DIR)
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = {"prepare", "web", "worker", "scheduler"}


def test_the_services() -> None:
    assert set(SERVICES) == OURS | {"postgres", "redis"}
    for name in OURS - {"prepare"}:
        assert SERVICES[name]["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}
        assert SERVICES[name]["env_file"] == ".env"
    assert SERVICES["postgres"]["image"] == "postgres:18"


def test_commands_exist() -> None:
    for name in OURS:
        program, script, command, *_ = SERVICES[name]["command"]
        assert (program, script) == ("python", "manage.py")
        assert command in get_commands()


def test_each_service_that_stays_has_a_health_check() -> None:
    for name in set(SERVICES) - {"prepare"}:
        test = SERVICES[name]["healthcheck"]["test"]
        if "-m" in test:
            assert importlib.util.find_spec(test[test.index("-m") + 1])


def test_redis_evicts_nothing() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_variables_are_documented_settings() -> None:
    program, compose = documented()
    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= program
    interpolated = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
    assert interpolated == compose


def test_files_that_it_mounts_are_there_and_run() -> None:
    sources = [volume.partition(":")[0] for volume in SERVICES["postgres"]["volumes"]]
    ours = [source for source in sources if source.startswith(".")]
    assert ours
    for source in ours:
        assert (ROOT / source).stat().st_mode & 0o111


def test_the_application_does_not_get_the_owners_password() -> None:
    for name in OURS - {"prepare"}:
        assert "DATABASE_OWNER_URL" not in SERVICES[name]["environment"]
        assert "northstar_app" in SERVICES[name]["environment"]["DATABASE_URL"]
