"""Default deny, proved: every route that the resolver knows, by every method, for every kind of person."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, include, path, reverse
from django.utils import timezone

from metrics.models import Dispute
from metrics.queries.disputes import Disputed
from northstar import urls as real
from owners.models import Action, ApiToken, Channel, Leave, User
from owners.routes import PUBLIC, ROUTES, Open, Right
from owners.rules import can
from tests.people import Company, company, metric

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
OF_ALICE = (
    "action",
    "dispute_withdraw",
    "leader_summary",
    "me_action",
    "metric_cadence",
    "metric_call",
    "metric_check_in",
    "metric_deviation_ask",
    "metric_values",
    "target_answer",
    "token_revoke",
)
EVERYBODY = (
    "stranger",
    "viewer",
    "leader",
    "analyst",
    "executive",
    "admin",
    "alice",
    "bob",
    "charlie",
)
WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE", "COPY")
# Mail programs post these by themselves, without a page that could give them a token: a signature allows it.
BY_SIGNATURE = {"unsubscribe"}
# Where whoever is not signed in may come, and by which methods.
STRANGERS = {
    "account_login": {"GET", "POST"},
    "account_sso": {"GET"},
    "account_sso_callback": {"GET"},
    "account_logout": {"GET", "POST"},
    "account_inactive": {"GET"},
    "account_reset_password": {"GET", "POST"},
    "account_reset_password_done": {"GET"},
    "account_reset_password_from_key": {"GET", "POST"},
    "account_reset_password_from_key_done": {"GET"},
    "account_first": {"GET", "POST"},
    "account_join": {"GET", "POST"},
    "mfa_login_webauthn": {"GET", "POST"},
    "mfa_authenticate": {"GET", "POST"},
    "unsubscribe": {"GET", "POST"},
    "check_in_link": {"GET", "POST"},
    "health": {"GET"},
}
# A session is opened for messages and forms and its place noted, and tries at a secret are counted; none of
# these is anybody's data.
BOOKKEEPING = ('"django_session"', "owners_attempt", "owners_signin")


def routes(patterns: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[str]:
    """The names of all routes, as the resolver knows them; fails on one without a name."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes(pattern.url_patterns, inner)
        else:
            assert pattern.name, f"{pattern.pattern} has no name, so no table can list it"
            yield namespace + pattern.name


def arguments(route: str, people: Company, about: str) -> dict[str, object]:
    """What the route's address needs; `about` is the key of the metric that it is asked about."""
    given: dict[str, dict[str, object]] = {
        "account_reset_password_from_key": {"uidb36": "1", "key": "abc-def"},
        "account_first": {"secret": "guess"},
        "account_join": {"secret": "guess"},
        "unsubscribe": {"token": "guess"},
        "check_in_link": {"token": "guess"},
        "target_grid": {"quarter": "2026-Q3"},
        "target_rollover": {"quarter": "2026-Q3"},
        "leader": {"key": "alice"},
        "leader_summary": {"key": "alice"},
    }
    if route in ("leader_leave_change", "leader_leave_cancel"):
        alice, today = people.leaders["alice"], timezone.localdate()
        leave, _ = Leave.objects.get_or_create(leader=alice, from_date=today, until_date=today)
        return {"key": "alice", "pk": leave.pk}
    if route in ("leader_leave", "leader_edit", "leader_archive", "leader_restore"):
        return {"key": "alice"}
    if route in ("team", "team_archive"):
        return {"key": "growth"}
    if route in ("account_session_end", "mfa_edit_webauthn", "mfa_remove_webauthn") or route in (
        "start_sheet",
        "start_sheet_back",
    ):
        return {"pk": 1_000_000_000}
    if route in given:
        return given[route]
    if route.startswith("people_") and route != "people_invite":
        return {"pk": people.bob.pk}
    if route in ("channel", "channel_test", "channel_remove"):
        # Its address was forgotten, so that no test of it asks anybody.
        leads, _ = Channel.objects.get_or_create(name="Leads", kind="slack", host="hooks.slack.com")
        return {"pk": leads.pk}
    if route.startswith(("warehouse_", "source_")) or route in ("warehouse", "source"):
        return {} if route.endswith("_new") else {"key": "nowhere"}
    if route.startswith("return_"):
        return {"event": 1}
    if route in ("me_action", "action"):
        return {"pk": Action.objects.get_or_create(text="Call", leader=people.leaders["alice"])[0].pk}
    if route == "import_preview":
        return {"pk": 1}
    if route.startswith("dispute_"):
        return {"pk": of_alice(people).pk}
    if route == "token_revoke":
        made = {"name": "t", "digest": "d" * 64, "expires_at": timezone.now()}
        return {"pk": ApiToken.objects.get_or_create(user=people.alice, defaults=made)[0].pk}
    if route in ("target", "target_answer", "target_decide"):
        return {"quarter": "2026-Q3", "key": about}
    if route == "metric" or route.startswith("metric_"):
        return {"key": about}
    return {}


def of_alice(people: Company) -> Dispute:
    """Alice's dispute about the metric that everybody sees."""
    place = {"metric": people.metrics["everyone"], "grain": "month", "author": people.alice}
    days = {"period_start": date(2026, 7, 1), "period_end": date(2026, 8, 1)}
    return Dispute.objects.get_or_create(**place, **days, defaults={"raised_at": timezone.now()})[0]


def ask(client: Client, method: str, address: str) -> Any:
    return client.generic(method, address, "", content_type="application/x-www-form-urlencoded")


def goes_to_sign_in(response: Any) -> bool:
    return bool(response.status_code == 302 and response["Location"].startswith("/account/login/"))


def written(queries: CaptureQueriesContext) -> list[str]:
    """The statements that wrote something but bookkeeping."""
    statements = [query["sql"] for query in queries.captured_queries]
    return [
        sql
        for sql in statements
        if sql.lstrip().upper().startswith(WRITES) and not any(table in sql for table in BOOKKEEPING)
    ]


def client_of(people: Company, name: str) -> Client:
    client = Client(raise_request_exception=False)
    if name != "stranger":
        client.force_login(people.users[name])
    return client


@pytest.fixture
def people(db: None) -> Company:
    """The company with passwords. Its metrics are counted by hand, so that their pages of values exist."""
    made = company()
    User.objects.update(password=make_password("correct horse battery"))
    for name, user in made.users.items():
        made.users[name] = User.objects.get(pk=user.pk)
    for found in made.metrics.values():
        found.type, found.spec = "manual", {"kind": "amount", "grain": "month"}
        found.save()
    return made


def test_the_table_lists_every_route_and_no_other() -> None:
    known = list(routes(get_resolver().url_patterns))
    assert sorted(known) == sorted(ROUTES)


def test_strangers_find_what_is_told_here_and_nothing_else() -> None:
    """Some pages send a stranger to sign in by themselves as well: of these only the table's own words tell
    whether the door is shut."""
    opened = {
        name: {method for method, asked in listed.items() if asked == PUBLIC}
        for name, listed in ROUTES.items()
        if PUBLIC in listed.values()
    }
    assert opened == STRANGERS


def test_the_table_names_rights_that_exist(people: Company) -> None:
    for listed in ROUTES.values():
        for right in listed.values():
            if isinstance(right, Right):
                can(people.viewer, right.permission, None)


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_methods_that_are_not_listed_are_refused(people: Company, route: str) -> None:
    address = reverse(route, kwargs=arguments(route, people, "for_everyone"))
    listed = {*ROUTES[route], *(["HEAD"] if "GET" in ROUTES[route] else [])}
    for method in set(METHODS) - listed:
        for name in ("stranger", "admin"):
            client = client_of(people, name)
            with CaptureQueriesContext(connection) as queries:
                response = ask(client, method, address)
            if not (name == "stranger" and goes_to_sign_in(response)):
                assert response.status_code in (401, 403, 405), (name, method)
            assert not written(queries), (name, method)


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_the_table_is_what_happens(people: Company, route: str) -> None:
    if route == "mfa_reauthenticate":  # there only for accounts with a second factor
        for account in User.objects.all():
            TOTP.activate(account, generate_totp_secret())
    for method, asked in ROUTES[route].items():
        about_metric = isinstance(asked, Right) and asked.about == "metric"
        for key in ("for_everyone", "for_team", "for_leadership") if about_metric else ("for_everyone",):
            address = reverse(route, kwargs=arguments(route, people, key))
            for name in EVERYBODY:
                client = client_of(people, name)
                with CaptureQueriesContext(connection) as queries:
                    response = ask(client, method, address)
                answer = (name, method, key, response.status_code)
                user: User | AnonymousUser = AnonymousUser() if name == "stranger" else people.users[name]
                verdict = expected(people, user, asked, key)
                if verdict == "in":
                    assert response.status_code < 500, answer
                    assert response.status_code not in (401, 403, 405), answer
                    assert asked == PUBLIC or not goes_to_sign_in(response), answer
                elif verdict == "sign in":
                    api = route.startswith("api:")
                    assert response.status_code == 401 if api else goes_to_sign_in(response), answer
                elif verdict == "hidden":
                    assert response.status_code == 404, answer
                else:
                    assert response.status_code == 403, answer
                if verdict != "in" or method == "GET":
                    assert not written(queries), answer


def expected(people: Company, user: User | AnonymousUser, asked: Open | Right, key: str) -> str:
    """What rules.py says: in, sign in, hidden (as if there were none) or refused."""
    if isinstance(asked, Open):
        return "in" if asked.strangers or not isinstance(user, AnonymousUser) else "sign in"
    if isinstance(user, AnonymousUser):
        return "sign in"
    if asked.about == "metric":
        found = people.metrics[key.removeprefix("for_")]
        if not can(user, "metric.read", found):
            return "hidden"
        return "in" if can(user, asked.permission, found) else "refused"
    things = {
        "leader": people.leaders["alice"],
        "action": Action(leader=people.leaders["alice"]),
        "token": ApiToken(user=people.alice),
        "person": people.bob,
        "dispute": Disputed(of_alice(people), people.metrics["everyone"], frozenset()),
    }
    thing = things.get(asked.about)
    return "in" if can(user, asked.permission, thing) else "refused"


@pytest.mark.parametrize(
    "route",
    sorted(name for name, listed in ROUTES.items() if "POST" in listed and name not in BY_SIGNATURE),
)
def test_no_write_without_a_token_of_the_form(people: Company, route: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.alice if route in OF_ALICE else people.admin)
    address = reverse(route, kwargs=arguments(route, people, "for_everyone"))
    with CaptureQueriesContext(connection) as queries:
        assert client.post(address, {"active": "no", "role": "viewer"}).status_code == 403
    assert not written(queries)


def test_a_counter_may_enter_what_he_may_not_own(people: Company) -> None:
    spec = {"kind": "amount", "grain": "month", "collect": {"by": "charlie"}}
    metric("counted", "alice", type="manual", visible="leadership", spec=spec)
    address = reverse("metric_values", args=["counted"])
    assert client_of(people, "charlie").get(address).status_code == 200
    assert client_of(people, "bob").get(address).status_code == 404


def test_sign_up_is_closed(client: Client, db: None) -> None:
    form = {"email": "e@example.com", "password1": "a long password"}
    for address in ("/account/signup/", "/accounts/signup/", "/account/email/"):
        assert client.get(address).status_code == 404
        assert client.post(address, form).status_code == 404


def test_a_fragment_sends_the_whole_page_to_sign_in(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/leaders/?quarter=2026-Q3"}
    response = client.get("/", headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/account/login/?next=%2Fleaders%2F%3Fquarter%3D2026-Q3"
    elsewhere = {"HX-Request": "true", "HX-Current-URL": "https://evil.example//x"}
    assert "evil" not in client.get("/", headers=elsewhere)["HX-Redirect"]


def test_after_signing_in_one_is_where_one_wanted_to_be(client: Client) -> None:
    response = client.get("/leaders/?quarter=2026-Q3")
    assert response["Location"] == "/account/login/?next=/leaders/%3Fquarter%3D2026-Q3"


def _unlisted(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


class Unlisted:
    """The real routes and one that somebody forgot to list."""

    urlpatterns = [
        path("forgotten/", _unlisted, name="forgotten"),
        path("nameless/", _unlisted),
        path("", include(real)),
    ]


@override_settings(ROOT_URLCONF=Unlisted)
@pytest.mark.parametrize("address", ["/forgotten/", "/nameless/"])
def test_a_forgotten_route_is_closed_to_all(people: Company, address: str) -> None:
    assert goes_to_sign_in(Client().get(address))
    for name in EVERYBODY[1:]:
        assert client_of(people, name).get(address).status_code == 403, name


class Careless:
    """The page of people, by a view that asks for nothing itself."""

    urlpatterns = [path("people/", _unlisted, name="people"), path("", include(real))]


@override_settings(ROOT_URLCONF=Careless)
def test_the_door_asks_for_the_role_even_if_the_view_does_not(people: Company) -> None:
    answers = {name: client_of(people, name).get("/people/").status_code for name in EVERYBODY}
    assert answers == {
        **dict.fromkeys(EVERYBODY, 403),
        "stranger": 302,
        "executive": 200,
        "admin": 200,
    }
