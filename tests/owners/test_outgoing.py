"""The outgoing client: what it refuses to ask, and that it asks the address that it has checked."""

import socket
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests

from owners import outgoing
from owners.outgoing import Refused, check, is_allowed, post
from tests.servers import Asked, Hook, answering, certificate, hook_server

INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2001:0:7f00:1::",
    "2001:db8::1",
]
OUTSIDE = [
    "93.184.215.14",
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
]


@pytest.fixture(autouse=True)
def as_delivered(settings) -> None:
    settings.OUTGOING_ALLOW, settings.OUTGOING_HTTP, settings.OUTGOING_CA_FILE = [], False, ""


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[tuple[str, int]]) -> list[str]:
    """The DNS: each question gets the next answer (address, port), the last one for ever. Returns the names
    that were asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[Any]:
        said = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        if not said:
            raise socket.gaierror("unknown")
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, to))
            for address, to in said
        ]

    monkeypatch.setattr(outgoing, "resolve", resolve)
    return asked


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_refused(address: str) -> None:
    assert not is_allowed(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_allowed(ip_address(address))


def test_a_network_can_be_allowed(settings) -> None:
    settings.OUTGOING_ALLOW = ["10.2.0.0/16", "chat.corp.example", "fd00::/8"]
    assert is_allowed(ip_address("10.2.3.4"))
    assert is_allowed(ip_address("::ffff:10.2.3.4"))
    assert is_allowed(ip_address("fd00::1"))
    assert not is_allowed(ip_address("10.3.0.1"))


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x",
        "ftp://hooks.example/x",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "//hooks.example/x",
        "hooks.example/x",
        "https://",
        "https:///x",
        "https://user:word@hooks.example/x",
        "https://hooks.example@127.0.0.1/x",
        "https://127.0.0.1#@hooks.example/x",
        "https://127.0.0.1\\@hooks.example/x",
        "https://hooks.example\\.evil/x",
        "https://hooks.example:22/x",
        "https://hooks.example:25/x",
        "https://hooks.example:99999/x",
        "https://hooks.example:x/",
        "https://2130706433/x",
        "https://017700000001/x",
        "https://0177.0.0.1/x",
        "https://0x7f.0.0.1/x",
        "https://0x7f000001/x",
        "https://127.1/x",
        "https://127.0.0.1./x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/x",
        "https://localhost:8000/x",
        "https://ⓛocalhost/x",
        "https://hooks.example/\r\nHost: evil",
        "https://hooks.example/ x",
        "https://hooks.example/\x00",
        "https://hooks.example/" + "x" * 3000,
        "",
    ],
)
def test_addresses_of_a_wrong_form_or_from_inside_are_refused(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = outgoing.resolve

    def resolve(host: str, port: int) -> list[Any]:
        if host == "hooks.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]
        return real(host, port)

    monkeypatch.setattr(outgoing, "resolve", resolve)
    check("https://hooks.example/services/T0/B0/x?y=z")
    check("https://hooks.example:8443/x")
    with pytest.raises(Refused):
        check(url)
    with pytest.raises((Refused, requests.RequestException)):
        post(url, b"{}", {})


def test_one_address_inside_spoils_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, [("93.184.215.14", 443), ("10.0.0.1", 443)])
    with pytest.raises(Refused, match="private network"):
        check("https://hooks.example/x")


def test_an_unknown_host_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, [])
    with pytest.raises(Refused, match="There is no host"):
        check("https://hooks.example/x")


@pytest.fixture
def plain() -> Iterator[Hook]:
    with hook_server() as hook:
        yield hook


@pytest.fixture
def secure(tmp_path: Path, settings) -> Iterator[Hook]:
    made = certificate(tmp_path, "hooks.example")
    settings.OUTGOING_CA_FILE = str(made[0])
    with hook_server(made) as hook:
        yield hook


def test_a_name_that_moves_inside_after_the_check_is_refused(
    secure: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it is saved, loopback when it is used."""
    asked = names(monkeypatch, [("93.184.215.14", 443)], [("127.0.0.1", secure.port)])
    check("https://hooks.example/x")
    with pytest.raises(Refused, match="private network"):
        post("https://hooks.example/x", b"{}", {})
    assert len(asked) == 2
    assert secure.asked == []


def test_the_connection_goes_to_the_address_that_was_checked(
    secure: Hook, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One question to the DNS a request: no second one whose answer nobody has checked."""
    settings.OUTGOING_ALLOW = ["127.0.0.1/32"]
    asked = names(monkeypatch, [("127.0.0.1", secure.port)], [("127.0.0.1", 1)])
    monkeypatch.setattr(socket, "getaddrinfo", None)  # nothing else may ask
    response = post("https://hooks.example/x?y=z", b'{"a": 1}', {"Idempotency-Key": "k"})
    assert response.status_code == 200
    assert response.content == b"ok"
    assert asked == ["hooks.example"]
    (got,) = secure.asked
    assert (got.path, got.json, got.headers["host"]) == ("/x?y=z", {"a": 1}, "hooks.example")
    assert got.headers["idempotency-key"] == "k"
    assert got.sni == "hooks.example"


def test_a_certificate_for_another_host_is_refused(
    secure: Hook, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTGOING_ALLOW = ["127.0.0.0/8"]
    names(monkeypatch, [("127.0.0.1", secure.port)])
    with pytest.raises(requests.exceptions.SSLError):
        post("https://other.example/x", b"{}", {})
    settings.OUTGOING_CA_FILE = ""
    with pytest.raises(requests.exceptions.SSLError):
        post("https://hooks.example/x", b"{}", {})
    assert secure.asked == []


def test_a_host_can_be_allowed_by_its_name(plain: Hook, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OUTGOING_ALLOW, settings.OUTGOING_HTTP = ["chat.corp.example"], True
    names(monkeypatch, [("127.0.0.1", plain.port)])
    assert post("http://chat.corp.example/x", b"{}", {}).status_code == 200
    with pytest.raises(Refused):
        post("http://other.corp.example/x", b"{}", {})
    assert len(plain.asked) == 1


@pytest.fixture
def local(plain: Hook, settings) -> Hook:
    settings.OUTGOING_ALLOW, settings.OUTGOING_HTTP = ["127.0.0.0/8"], True
    return plain


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(local: Hook, status: int) -> None:
    for target in ("http://169.254.169.254/latest/meta-data/", f"http://127.0.0.1:{local.port}/second"):
        local.answer = answering(status, b"", Location=target)
        assert post(f"http://127.0.0.1:{local.port}/first", b"{}", {}).status_code == status
        with outgoing.Session() as session:
            session.request("GET", f"http://127.0.0.1:{local.port}/first", allow_redirects=True)
    assert {got.path for got in local.asked} == {"/first"}


def test_proxies_and_passwords_of_the_environment_are_not_used(
    local: Hook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.delenv("no_proxy", raising=False)
    assert post(f"http://127.0.0.1:{local.port}/x", b"{}", {}).status_code == 200
    assert "authorization" not in local.asked[0].headers


def test_callers_cannot_switch_the_rules_off(secure: Hook, settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OUTGOING_ALLOW, settings.OUTGOING_CA_FILE = ["127.0.0.0/8"], ""
    names(monkeypatch, [("127.0.0.1", secure.port)])
    with outgoing.Session() as session, pytest.raises(requests.exceptions.SSLError):
        session.request(
            "POST", "https://hooks.example/x", verify=False, proxies={"https": "http://127.0.0.1:1"}
        )
    assert secure.asked == []


def test_a_huge_answer_is_cut_off(local: Hook) -> None:
    def flood(handler: Any, asked: Asked) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100_000):
            handler.wfile.write(b"x" * 10_000)

    local.answer = flood
    began = time.monotonic()
    assert len(post(f"http://127.0.0.1:{local.port}/x", b"{}", {}).content) == outgoing.LARGEST
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("where", ["head", "body"])
def test_an_answer_that_drips_is_ended(local: Hook, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Each piece comes in time, the whole never does."""
    monkeypatch.setattr(outgoing, "TOTAL", 0.5)

    def drip(handler: Any, asked: Asked) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"\r\n" if where == "body" else b""))
        for n in range(200):
            handler.wfile.write(b"X-%d: y\r\n" % n)
            time.sleep(0.05)

    local.answer = drip
    began = time.monotonic()
    with pytest.raises(requests.RequestException):
        post(f"http://127.0.0.1:{local.port}/x", b"{}", {})
    assert time.monotonic() - began < 5


def test_silence_is_not_waited_for(local: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "READING", 0.3)
    local.answer = lambda handler, asked: time.sleep(1)
    with pytest.raises(requests.RequestException):
        post(f"http://127.0.0.1:{local.port}/x", b"{}", {})
