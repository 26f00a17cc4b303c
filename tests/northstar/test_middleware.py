"""What every answer carries: a browser policy, privacy, a name for the log."""

import re
from datetime import UTC, datetime
from typing import cast

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from metrics.models import Installation
from northstar.middleware import LocalTime
from tests.people import Company, company

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Company:
    return company()


def test_only_our_own_scripts_run(client: Client) -> None:
    first, second = (client.get("/account/login/") for _ in range(2))
    policy = first["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert "'unsafe-inline'" not in directives["script-src"]
    assert "unsafe-eval" not in policy
    assert directives["default-src"] == directives["frame-ancestors"] == directives["base-uri"] == "'none'"
    assert directives["form-action"] == "'self'"
    nonces = [re.findall(r"'nonce-([\w-]+)'", r["Content-Security-Policy"]) for r in (first, second)]
    assert len(nonces[0]) == len(nonces[1]) == 1
    assert nonces[0] != nonces[1]


def test_the_headers_of_every_answer(people: Company, client: Client) -> None:
    client.force_login(people.viewer)
    for address in ("/account/", "/account/login/", "/settings/people/", "/nowhere/", "/api/v1/metrics/"):
        response = client.get(address)
        assert response["X-Frame-Options"] == "DENY", address
        assert response["X-Content-Type-Options"] == "nosniff", address
        assert response["Referrer-Policy"] == "same-origin", address
        assert "camera=()" in response["Permissions-Policy"], address
        assert "default-src 'none'" in response["Content-Security-Policy"], address
        assert response["Cache-Control"] == "no-store, private", address


def test_pages_of_accounts_are_not_cached_for_strangers_either(client: Client) -> None:
    assert "no-store" in client.get("/account/login/")["Cache-Control"]
    assert "no-store" in client.get("/account/first/guess/")["Cache-Control"]


def test_a_request_keeps_the_name_that_a_proxy_gave(client: Client) -> None:
    kept = client.get("/health/", headers={"X-Request-ID": "abcdef-123456"})
    assert kept["X-Request-ID"] == "abcdef-123456"
    for forged in ("short", "with space and more", "x" * 65, "line%0abreak"):
        given = client.get("/health/", headers={"X-Request-ID": forged})["X-Request-ID"]
        assert re.fullmatch(r"[0-9a-f]{32}", given)


def test_health_says_whether_the_database_answers(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/health/").json() == {"status": "ok"}

    def down() -> None:
        from django.db import OperationalError

        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", down)
    response = client.get("/health/")
    assert (response.status_code, response.json()) == (503, {"status": "no database"})


def test_today_is_the_installations_today(people: Company, rf: RequestFactory) -> None:
    Installation.objects.create(id=1, timezone="Pacific/Auckland")
    request = rf.get("/")
    request.user = people.viewer
    today = LocalTime(lambda _: HttpResponse(timezone.localdate().isoformat()))
    with time_machine.travel(datetime(2026, 7, 1, 18, 0, tzinfo=UTC), tick=False):
        assert b"2026-07-02" in cast(HttpResponse, today(request)).content
        assert timezone.localdate().isoformat() == "2026-07-01"


def context_of_last_change() -> dict[str, object]:
    event = apps.get_model("owners", "UserEvent").objects.latest("pgh_id")
    return dict(event.pgh_context.metadata)


def test_a_change_says_from_where_and_in_which_request(people: Company, client: Client) -> None:
    client.force_login(people.admin)
    path = f"/settings/people/{people.bob.pk}/role/"
    answer = client.post(path, {"role": "analyst"}, REMOTE_ADDR="203.0.113.7")
    context = context_of_last_change()
    assert (context["user"], context["url"]) == (people.admin.pk, path)
    assert (context["address"], context["request"]) == ("203.0.113.7", answer["X-Request-ID"])


def test_a_forwarded_address_counts_only_behind_a_proxy(people: Company, client: Client) -> None:
    client.force_login(people.admin)
    forged = "198.51.100.9, 203.0.113.8"
    for number, (proxies, seen) in enumerate(((0, "127.0.0.1"), (1, "203.0.113.8"))):
        with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=proxies):
            client.post(
                f"/settings/people/{people.bob.pk}/role/",
                {"role": ("analyst", "viewer")[number]},
                headers={"X-Forwarded-For": forged},
            )
        assert context_of_last_change()["address"] == seen


@pytest.mark.parametrize("told", ["", "not an address", "'; drop table owners_user --"])
def test_no_address_is_no_fault(people: Company, client: Client, told: str) -> None:
    client.force_login(people.admin)
    path = f"/settings/people/{people.bob.pk}/role/"
    assert client.post(path, {"role": "analyst"}, REMOTE_ADDR=told).status_code == 302
    assert context_of_last_change()["address"] == ""


def test_a_form_that_is_refused_says_what_to_do(people: Company) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.alice)
    answer = client.post("/account/notices/", {})
    assert answer.status_code == 403
    assert "Go back, copy what you have typed" in answer.content.decode()


def test_a_form_of_many_metrics_is_read(people: Company, client: Client) -> None:
    """A grid of targets has six fields a metric: those of four hundred are not too much."""
    client.force_login(people.executive)
    fields = {f"target-metric_{n}-{field}": "" for n in range(400) for field in range(6)}
    assert client.post("/start/company/", fields).status_code == 422  # what is missing is said, as ever
