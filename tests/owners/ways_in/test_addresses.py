"""Where one goes after signing in, and the network that tries are counted by."""

from typing import Any

import pytest
from django.test import Client

from owners.addresses import network_of
from owners.services import limits
from tests.owners.ways_in.steps import sign_in
from tests.people import Company


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "https:evil.example",
        "https://metrics.example.com.evil.example/",
        "https://other.example.com/",
        "javascript:alert(1)",
        "\thttps://evil.example/",
    ],
)
def test_next_leads_nowhere_else(people: Company, settings: Any, to: str) -> None:
    settings.ALLOWED_HOSTS = ["metrics.example.com", ".example.com"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://other.example.com"]
    client = Client(headers={"host": "metrics.example.com"})
    assert sign_in(client, next=to)["Location"] == "/"
    answer = client.post("/account/logout/", {"next": to})
    assert answer["Location"] == "/account/login/"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(rf: Any, address: str, counted: str) -> None:
    assert network_of(rf.get("/", REMOTE_ADDR=address)) == counted


def test_a_new_address_of_the_same_network_is_no_new_guesser(people: Company) -> None:
    for number in range(limits.PER_ADDRESS.tries):
        email, address = f"p{number}@example.com", f"2001:db8:1:2::{number:x}"
        Client(REMOTE_ADDR=address).post("/account/login/", {"login": email, "password": "x"})
    refused = sign_in(Client(REMOTE_ADDR="2001:db8:1:2:ffff::1"))
    assert b"Too many failed login attempts" in refused.content
    assert sign_in(Client(REMOTE_ADDR="2001:db8:1:3::1")).status_code == 302


@pytest.mark.parametrize("behind", [0, 1])
def test_who_names_another_address_is_counted_all_the_same(
    people: Company, settings: Any, behind: int
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = behind
    for number in range(limits.PER_ADDRESS.tries):
        said = f"198.51.100.{number}" + (", 203.0.113.7" if behind else "")
        Client(headers={"x-forwarded-for": said}).post(
            "/account/login/", {"login": f"p{number}@example.com", "password": "x"}
        )
    said = "198.51.100.200" + (", 203.0.113.7" if behind else "")
    refused = sign_in(Client(headers={"x-forwarded-for": said}))
    assert b"Too many failed login attempts" in refused.content
