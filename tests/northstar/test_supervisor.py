"""The supervisor's decisions, without processes."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from northstar.stack.children import Child
from northstar.stack.health import answers, healthy
from northstar.stack.supervisor import LONGEST_PAUSE, STEADY_AFTER, Part, Plan, Supervisor


def part(pause: float, started_at: float = 0.0) -> Part:
    def start() -> Child:
        raise AssertionError("not started in these tests")

    return Part("web", start, started_at=started_at, pause=pause)


def test_the_pause_doubles_up_to_a_limit() -> None:
    pauses = [0.0]
    while len(pauses) < 10:
        pauses.append(Supervisor._next_pause(part(pauses[-1]), now=1.0))
    assert pauses[1:8] == [0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_child_that_ran_well_for_a_while_starts_at_once() -> None:
    assert Supervisor._next_pause(part(LONGEST_PAUSE), now=STEADY_AFTER + 1) == 0.5


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/"),
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("10.1.2.3", "http://10.1.2.3:8000/"),
    ],
)
def test_the_url_that_is_printed_can_be_opened(bind: str, url: str) -> None:
    assert Plan(Path("/nowhere"), bind, 8000, None, None).url == url


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


def test_what_counts_as_an_answer() -> None:
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        said = {code: answers(f"{base}/{code}") for code in (200, 302, 404, 500, 503)}
        server.shutdown()
    assert said == {200: True, 302: True, 404: True, 500: False, 503: False}
    assert not answers(base + "/200")


def test_a_heartbeat_gets_old(tmp_path: Path) -> None:
    beat = tmp_path / "tick"
    assert healthy([str(beat), "60"]) == 1
    beat.touch()
    assert healthy([str(beat), "60"]) == 0
    os.utime(beat, (1, 1))
    assert healthy([str(beat), "60"]) == 1
