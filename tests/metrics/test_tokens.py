"""Tokens of the API: shown once, hashed, narrowed by scope and metric, ended by time, person and admin."""

import hashlib
import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client

from calc.calendar import Calendar
from metrics.queries.audit import Cut, changes
from metrics.queries.recorded import events
from metrics.services.storing import rename_metric
from owners.models import ApiToken, Role, User
from owners.services import tokens
from owners.services.accounts import change_role, set_active
from tests.people import Company, company

READ, WRITE = "read", "values:write"


@pytest.fixture
def people(db: None) -> Company:
    return company()


def token_of(user: User, *scopes: str, days: int = 30, keys: tuple[str, ...] = ()) -> str:
    return tokens.create(user, "feeder", scopes or (READ,), days, keys)[1]


def ask(secret: str, listed: str = "metrics", **headers: str) -> "tuple[int, dict]":
    answer = Client().get(f"/api/v1/{listed}/", headers={"Authorization": f"Bearer {secret}", **headers})
    return answer.status_code, answer.json()


def keys(secret: str) -> list[str]:
    status, body = ask(secret)
    assert status == 200, body
    return [line["key"] for line in body["results"]]


def test_a_token_reads_what_its_person_may_read(people: Company) -> None:
    assert keys(token_of(people.viewer)) == ["for_everyone"]
    assert keys(token_of(people.bob)) == ["for_everyone", "for_team"]
    assert keys(token_of(people.executive)) == ["for_everyone", "for_team", "for_leadership"]


def test_only_its_hash_is_kept(people: Company) -> None:
    token, secret = tokens.create(people.alice, "feeder", [READ], 30)
    assert secret.startswith("nst_") and len(secret) >= 4 + 43  # 256 bits in base64
    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert token.prefix == secret[:10]
    with connection.cursor() as cursor:
        for table in ("owners_apitoken", "owners_apitokenevent"):
            cursor.execute(f"select string_agg(t::text, ' ') from {table} t")
            text = cursor.fetchone()[0]
            assert "feeder" in text
            assert secret[12:] not in text
        assert token.digest not in text, "the history holds no hash"


@pytest.mark.parametrize("secret", ["", "nst_", "nst_wrong", "nst_" + "a" * 43, "x" * 5000, "nst_é\udcff"])
def test_a_token_that_is_none_is_401(people: Company, secret: str) -> None:
    client = Client()
    client.force_login(people.admin)
    answer = client.get(
        "/api/v1/metrics/", headers={"Authorization": f"Bearer {secret.encode('utf-8', 'replace').decode()}"}
    )
    assert answer.status_code == 401, "also where the browser has a session"
    assert answer["WWW-Authenticate"].startswith("Bearer ")
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


def test_it_ends_by_time(people: Company) -> None:
    begun = datetime(2026, 5, 1, 12, tzinfo=UTC)
    with time_machine.travel(begun, tick=False):
        secret = token_of(people.alice, days=7)
    with time_machine.travel(begun + timedelta(days=7, seconds=-1), tick=False):
        assert ask(secret)[0] == 200
    with time_machine.travel(begun + timedelta(days=7), tick=False):
        assert ask(secret)[0] == 401


def test_it_ends_with_its_person_and_stays_ended(people: Company) -> None:
    secret = token_of(people.alice)
    set_active(people.admin, people.alice, False)
    assert ask(secret)[0] == 401
    set_active(people.admin, people.alice, True)
    assert ask(secret)[0] == 401


def test_a_deactivation_past_the_service_ends_it_too(people: Company) -> None:
    secret = token_of(people.alice)
    User.objects.filter(pk=people.alice.pk).update(is_active=False)
    assert ask(secret)[0] == 401


def test_it_never_may_more_than_its_person(people: Company) -> None:
    secret = token_of(people.executive)
    assert len(keys(secret)) == 3
    change_role(people.admin, people.executive, Role.VIEWER)
    assert keys(secret) == ["for_everyone"]


def test_its_metrics_narrow_every_list(people: Company) -> None:
    secret = token_of(people.executive, keys=("for_team", "not_there"))
    assert keys(secret) == ["for_team"]
    leaders = {line["key"]: line["metrics"] for line in ask(secret, "leaders")[1]["results"]}
    assert leaders["alice"] == ["for_team"]
    assert ask(secret, "values")[1]["results"] == []
    assert ask(secret, "values/?metric=for_everyone".rstrip("/"))[0] == 400
    rename_metric("for_team", "for_the_team")
    assert keys(secret) == ["for_the_team"]


def test_a_scope_that_is_missing_is_403(people: Company) -> None:
    secret = token_of(people.alice, WRITE)
    status, body = ask(secret)
    assert (status, body["detail"]) == (403, "This token lacks the scope read.")


def test_no_token_opens_a_page_or_the_reading_of_the_description(people: Company) -> None:
    secret = token_of(people.admin)
    for address in ("/", "/settings/people/", "/settings/tokens/"):
        answer = Client().get(address, headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 302 and "/account/login/" in answer["Location"]
    assert Client().get("/api/v1/docs/", headers={"Authorization": f"Bearer {secret}"}).status_code == 403
    assert Client().get("/api/v1/schema/", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_its_last_use_is_kept_to_the_hour(people: Company) -> None:
    begun = datetime(2026, 5, 1, 12, 20, tzinfo=UTC)
    with time_machine.travel(begun, tick=False):
        secret = token_of(people.alice)
        assert ApiToken.objects.get().last_used_at is None
    seen = []
    for minutes in (50, 60, 170):
        with time_machine.travel(begun + timedelta(minutes=minutes), tick=False):
            keys(secret)
            seen.append(ApiToken.objects.get().last_used_at)
    assert [moment.hour for moment in seen] == [13, 13, 15]
    assert events(ApiToken).objects.count() == 1, "a use is no change"


def test_what_is_answered_to_a_token_no_cache_keeps(people: Company) -> None:
    secret = token_of(people.alice)
    answer = Client().get("/api/v1/metrics/", headers={"Authorization": f"Bearer {secret}"})
    assert answer["Cache-Control"] == "no-store, private"


def test_neither_logs_nor_answers_repeat_it(people: Company, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    good, bad = token_of(people.viewer, WRITE), "nst_" + "Canary" * 7
    for secret in (good, bad):
        answer = Client().get("/api/v1/metrics/", headers={"Authorization": f"Bearer {secret}"})
        assert secret[10:] not in answer.content.decode() + str(answer.headers)
    assert good[10:] not in caplog.text and bad[10:] not in caplog.text


def test_guesses_of_one_address_are_slowed_down(people: Company) -> None:
    said = [ask(f"nst_{n}")[0] for n in range(62)]
    assert said == [401] * 60 + [429] * 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
    ],
)
def test_what_is_no_token_is_not_made(people: Company, fields: dict, field: str) -> None:
    said = {"name": "feeder", "scopes": [READ], "days": 30, **fields}
    with pytest.raises(ValidationError) as refused:
        tokens.create(people.alice, **said)
    assert list(refused.value.message_dict) == [field]
    assert not ApiToken.objects.exists()


def test_nobody_has_more_than_a_few(people: Company) -> None:
    for _ in range(tokens.MOST):
        token_of(people.alice)
    with pytest.raises(ValidationError, match="25 tokens"):
        token_of(people.alice)
    tokens.revoke(people.alice, ApiToken.objects.first())
    token_of(people.alice)


def page(people: Company, name: str) -> Client:
    client = Client()
    client.force_login(people.users[name])
    return client


FORM = {"name": "CRM export", "scopes": ["read", "values:write"], "days": "90", "metrics": ["for_team"]}


def test_the_page_makes_one_and_shows_it_once(people: Company) -> None:
    client = page(people, "alice")
    answer = client.post("/settings/tokens/", {**FORM, "user": people.admin.pk, "digest": "0" * 64})
    assert answer.status_code == 200
    token = ApiToken.objects.get()
    assert (token.user, token.name, token.scopes, token.metric_keys) == (
        people.alice, "CRM export", [READ, WRITE], ["for_team"],
    )  # fmt: skip
    said = answer.content.decode()
    secret = said.split('id="token"')[1].split('value="')[1].split('"')[0]
    assert keys(secret) == ["for_team"]
    assert "no-store" in answer["Cache-Control"]
    again = client.get("/settings/tokens/").content.decode()
    assert "CRM export" in again and secret[:10] in again
    assert secret[10:] not in again


@pytest.mark.parametrize(
    "wrong",
    [{"days": "400"}, {"days": "0"}, {"scopes": ["all"]}, {"scopes": []}, {"name": ""}, {"metrics": ["x"]}],
)
def test_the_page_refuses_what_makes_no_sense(people: Company, wrong: dict) -> None:
    assert page(people, "alice").post("/settings/tokens/", {**FORM, **wrong}).status_code == 422
    assert not ApiToken.objects.exists()


def test_nobody_is_offered_a_metric_that_they_may_not_see(people: Company) -> None:
    assert "For leadership" not in page(people, "bob").get("/settings/tokens/").content.decode()
    form = {**FORM, "metrics": ["for_leadership"]}
    assert page(people, "bob").post("/settings/tokens/", form).status_code == 422


def test_others_tokens_are_for_admins(people: Company) -> None:
    secret = token_of(people.alice)
    token = ApiToken.objects.get()
    assert "feeder" not in page(people, "bob").get("/settings/tokens/").content.decode()
    for name in ("bob", "charlie", "viewer", "analyst", "executive"):
        assert page(people, name).post(f"/settings/tokens/{token.pk}/revoke/").status_code == 403
        with pytest.raises(PermissionDenied):
            tokens.revoke(people.users[name], token)
    assert keys(secret)
    assert "feeder" in page(people, "admin").get("/settings/tokens/").content.decode()
    assert page(people, "admin").post(f"/settings/tokens/{token.pk}/revoke/").status_code == 302
    assert ask(secret)[0] == 401
    revoked = ApiToken.objects.get().revoked_at
    assert page(people, "alice").post(f"/settings/tokens/{token.pk}/revoke/").status_code == 302
    assert ApiToken.objects.get().revoked_at == revoked, "a second time changes nothing"


def test_the_audit_says_who_made_and_who_revoked_it(people: Company) -> None:
    token_of(people.alice)
    tokens.revoke(people.admin, ApiToken.objects.get())
    ended, made = (c for c in changes(Cut(kind="person"), Calendar()).changes if c.title == "token")
    assert (made.who, made.what, ended.who, ended.what) == ("Alice", "new", "Admin", "changed")
    assert [d.name for d in ended.differences] == ["revoked"]
