"""Where connections may go: addresses in every disguise, names that change their mind, files behind links."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from warehouse.definitions import WarehouseDef, WarehouseDown
from warehouse.engines import connect
from warehouse.reach import Reach, Refused, addresses, check_address, check_file, check_socket

PRODUCTION = Reach()
AT_HOME = Reach(local=True)

LOOPBACK = [
    "127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::127.0.0.1",
    "2002:7f00:1::", "::127.0.0.1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.1.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
    "fe80::1", "fe80::1%eth0", "0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255",
    "240.0.0.1", "100.100.100.200", "168.63.129.16", "fd00:ec2::254", "192.0.0.192",
]  # fmt: skip
ORDINARY = ["10.1.2.3", "192.168.1.5", "172.20.0.2", "93.184.216.34", "fd12:3456::1", "2606:4700::1111"]


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_is_reached_outside_of_production_only(address: str) -> None:
    with pytest.raises(Refused, match="WAREHOUSE_HOSTS"):
        check_address("db", address, PRODUCTION)
    check_address("db", address, AT_HOME)


@pytest.mark.parametrize("address", NEVER)
def test_link_and_cloud_addresses_are_never_reached(address: str) -> None:
    for reach in (PRODUCTION, AT_HOME, Reach(hosts=("db",)), Reach(hosts=("db",), local=True)):
        with pytest.raises(Refused):
            check_address("db", address, reach)


@pytest.mark.parametrize("address", ORDINARY)
def test_other_addresses_are_reached_unless_there_is_a_list(address: str) -> None:
    check_address("db", address, PRODUCTION)
    with pytest.raises(Refused, match="not among the hosts"):
        check_address("db", address, Reach(hosts=("warehouse.internal",)))


@pytest.mark.parametrize(
    ("host", "entry", "is_listed"),
    [
        ("db.internal", "db.internal", True),
        ("DB.internal.", "db.internal", True),
        ("db.internal", ".internal", True),
        ("internal", ".internal", False),
        ("evil-internal", ".internal", False),
        ("db.internal.evil.example", "db.internal", False),
        ("xdb.internal", "db.internal", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
    ],
)
def test_a_list_is_of_names_and_networks(host: str, entry: str, is_listed: bool) -> None:
    address = host if host[0].isdigit() else "10.1.2.3"
    if is_listed:
        check_address(host, address, Reach(hosts=(entry,)))
    else:
        with pytest.raises(Refused):
            check_address(host, address, Reach(hosts=(entry,)))


def test_what_is_listed_as_an_address_is_reached_whatever_it_is() -> None:
    check_address("localhost", "127.0.0.1", Reach(hosts=("127.0.0.0/8",)))
    check_address("db", "169.254.7.7", Reach(hosts=("169.254.7.7",)))


@pytest.mark.parametrize("host", ["127.1", "0x7f.0.0.1", "2130706433", "017700000001", "localhost"])
def test_ways_to_write_this_machine_lead_to_the_same_refusal(host: str) -> None:
    with pytest.raises(Refused):
        addresses(host, 5432, PRODUCTION)


def _names(monkeypatch: pytest.MonkeyPatch, answer: Callable[[int], list[str]]) -> list[int]:
    """Stands in for DNS: the n-th question gets `answer(n)`."""
    asked: list[int] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(len(asked))
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
            for a in answer(asked[-1])
        ]

    monkeypatch.setattr("warehouse.reach.socket.getaddrinfo", getaddrinfo)
    return asked


def test_one_bad_address_of_a_name_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _names(monkeypatch, lambda n: ["10.0.0.1", "169.254.169.254"])
    with pytest.raises(Refused):
        addresses("db.example", 5432, PRODUCTION)


def test_the_driver_gets_the_checked_addresses_and_no_name_to_ask_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = _names(monkeypatch, lambda n: ["10.0.0.1", "10.0.0.2"] if n == 0 else ["127.0.0.1"])
    given: list[dict[str, Any]] = []

    def refuse(**arguments: Any) -> None:
        given.append(arguments)
        raise psycopg.OperationalError("no route")

    monkeypatch.setattr("warehouse.engines.postgres.psycopg.connect", refuse)
    options = {"host": "db.example", "database": "d", "user": "u"}
    with pytest.raises(WarehouseDown, match="no route"):
        connect(WarehouseDef("crm", "postgres", options, reach=PRODUCTION))
    assert asked == [0]
    assert given[0]["hostaddr"] == "10.0.0.1,10.0.0.2"
    assert given[0]["host"] == "db.example,db.example"
    # a name that now leads here is refused before any connection
    with pytest.raises(WarehouseDown, match="may not be reached"):
        connect(WarehouseDef("crm", "postgres", options, reach=PRODUCTION))
    assert len(given) == 1


def test_a_socket_is_this_machine(tmp_path: Path) -> None:
    for reach in (PRODUCTION, Reach(hosts=("db",), local=True)):
        with pytest.raises(Refused):
            check_socket(str(tmp_path), reach)
    check_socket(str(tmp_path), AT_HOME)
    check_socket(str(tmp_path), Reach(hosts=(str(tmp_path),)))


def test_files_lie_in_their_folders_also_behind_links_and_dots(tmp_path: Path) -> None:
    inside, outside = tmp_path / "data", tmp_path / "data-else"
    inside.mkdir()
    outside.mkdir()
    (outside / "x.csv").write_text("a\n1\n")
    (inside / "x.csv").write_text("a\n1\n")
    (inside / "link.csv").symlink_to(outside / "x.csv")
    reach = Reach(folders=(str(inside),))
    assert check_file(str(inside / "x.csv"), reach) == str(inside / "x.csv")
    for bad in (
        inside / "link.csv",
        outside / "x.csv",
        inside / ".." / "data-else" / "x.csv",
        Path("/etc/passwd"),
    ):
        with pytest.raises(Refused, match="WAREHOUSE_FILES"):
            check_file(str(bad), reach)
        with pytest.raises(WarehouseDown, match="outside"):
            connect(WarehouseDef("shop", "duckdb", {"files": {"x": str(bad)}}, reach=reach))


@pytest.mark.parametrize(
    "option",
    [
        "options", "service", "passfile", "sslkey", "sslcert", "hostaddr", "gsslib", "requirepeer", "dsn",
        "sslcertmode", "target_session_attrs", "replication", "krbsrvname", "servicefile", "conninfo",
    ],
)  # fmt: skip
def test_no_other_option_of_the_driver_gets_through(option: str) -> None:
    options = {"host": "db", "database": "d", "user": "u", option: "x"}
    with pytest.raises(Exception, match="is not allowed"):
        connect(WarehouseDef("crm", "postgres", options, reach=PRODUCTION))


@pytest.mark.parametrize(
    "host",
    [
        "db,evil",
        "db options=-c",
        "@abstract",
        "db\nuser=x",
        "host='x'",
        "",
        "db;x",
        "db?x=1",
        "postgres://u@h/d ",
    ],
)
def test_a_host_is_one_host(host: str) -> None:
    with pytest.raises(Exception, match=r"host|control"):
        connect(
            WarehouseDef("crm", "postgres", {"host": host, "database": "d", "user": "u"}, reach=PRODUCTION)
        )


def test_the_password_never_stands_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**arguments: Any) -> None:
        raise psycopg.OperationalError(f"connection failed: {arguments}")

    monkeypatch.setattr("warehouse.engines.postgres.psycopg.connect", fail)
    options = {"host": "10.0.0.1", "database": "d", "user": "u", "password": "s3cr3t-canary"}
    with pytest.raises(WarehouseDown) as failed:
        connect(WarehouseDef("crm", "postgres", options, reach=PRODUCTION))
    assert "s3cr3t-canary" not in f"{failed.value} {failed.value!r} {failed.value.__cause__}"
