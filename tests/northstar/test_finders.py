"""Plotly.js: the small bundle if it is there in the right version, else the full one; one name for both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from plotly.offline import get_plotlyjs_version
from pytest_django import Settings

from northstar.finders import BASIC_PACKAGE, NAME, PlotlyFinder, full_bundle
from northstar.management.commands import web
from northstar.statics import collect, is_collected

BASIC = "/* the small bundle */"


def forget_finders() -> None:
    """Django keeps the finders for the life of the process."""
    finders.get_finder.cache_clear()  # type: ignore[attr-defined]


@pytest.fixture
def install(tmp_path: Path, settings: Settings) -> Callable[[str], Path]:
    """Puts the small bundle of a version where npm would put it."""

    def put(version: str) -> Path:
        package = tmp_path / "node_modules" / BASIC_PACKAGE
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"name": BASIC_PACKAGE, "version": version}))
        (package / "plotly-basic.min.js").write_text(BASIC)
        return package / "plotly-basic.min.js"

    settings.BASE_DIR = tmp_path
    return put


def test_the_small_bundle_of_the_wheels_version_is_served(install: Callable[[str], Path]) -> None:
    file = install(get_plotlyjs_version())
    finder = PlotlyFinder()
    assert finder.find(NAME) == str(file)
    assert finder.find(NAME, find_all=True) == [str(file)]
    [(name, storage)] = finder.list([])
    assert name == NAME
    assert storage.open(name).read().decode() == BASIC


@pytest.mark.parametrize("version", ["1.0.0", None])
def test_else_the_full_one_out_of_the_wheel(install: Callable[[str], Path], version: str | None) -> None:
    if version:
        install(version)
    finder = PlotlyFinder()
    assert finder.find(NAME) == str(full_bundle())
    [(name, storage)] = finder.list([])
    with storage.open(name) as file:
        assert f"plotly.js v{get_plotlyjs_version()}".encode() in file.read(2000)


def test_a_damaged_package_is_no_obstacle(install: Callable[[str], Path]) -> None:
    install("1.0.0").with_name("package.json").write_text("{")
    assert PlotlyFinder().find(NAME) == str(full_bundle())


def test_other_names_are_left_to_other_finders() -> None:
    assert PlotlyFinder().find("css/site.css") == []


def test_the_site_finds_it_by_its_name() -> None:
    assert finders.find(NAME)
    assert finders.find("django_htmx/htmx-2.min.js")


def test_collected_hashed_and_compressed_and_only_once(
    install: Callable[[str], Path], tmp_path: Path, settings: Settings
) -> None:
    file = install(get_plotlyjs_version())
    file.write_text(BASIC * 1000)
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_FINDERS = ["northstar.finders.PlotlyFinder"]
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "northstar.statics.QuickStorage"}}
    forget_finders()
    try:
        assert collect() is True
        [hashed] = (tmp_path / "static" / "plotly").glob("plotly.min.*.js")
        assert hashed.with_name(hashed.name + ".gz").exists()
        assert hashed.with_name(hashed.name + ".br").exists()
        assert collect() is False
        file.write_text(BASIC * 1001)
        assert collect() is True
        call_command("collectstatic", interactive=False, verbosity=0)
    finally:
        forget_finders()


def test_the_web_server_alone_collects_what_nobody_has_collected(
    install: Callable[[str], Path], tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `migrate` and `web`, without `up`: no page could be drawn without the list of the files."""
    file = install(get_plotlyjs_version())
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_FINDERS = ["northstar.finders.PlotlyFinder"]
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "northstar.statics.QuickStorage"}}
    ready: list[bool] = []
    monkeypatch.setattr(web.os, "execv", lambda *words: ready.append(is_collected()))
    forget_finders()
    try:
        assert not is_collected()
        call_command("web")
        [hashed] = (tmp_path / "static" / "plotly").glob("plotly.min.*.js")
        file.write_text(BASIC * 1001)  # what `up`, `prepare` or an image has collected is left alone
        call_command("web")
        assert (tmp_path / "static" / "plotly").glob("plotly.min.*.js").__next__() == hashed
    finally:
        forget_finders()
    assert ready == [True, True]
