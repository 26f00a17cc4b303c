"""Figures by the API: all or nothing, each by its own right, refused by row and field, once for each key."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from metrics.models import Entry, IdempotencyKey, Metric, Value
from metrics.queries.recorded import events
from metrics.services import idempotency, schedule
from metrics.services.apply import apply
from metrics.services.entries import EntryRow, enter
from owners.models import Leader
from owners.services import tokens
from tests.people import Company, company

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
FEB, MAR = "2026-02-01", "2026-03-01"
FILE = """
metrics:
  nps: {name: NPS, unit: score, type: manual, kind: level, grain: month, owner: alice}
  plans: {name: Plans, unit: percent, type: manual, kind: share, grain: month, owner: alice}
  calls: {name: Calls, type: manual, kind: amount, grain: week, by: [team], owner: alice}
  hidden: {name: Hidden, type: manual, kind: amount, grain: month, owner: alice, visible: leadership}
  twice: {name: Twice, type: derived, unit: score, formula: nps * 2, owner: alice}
"""
DENIED = "neither own nor count"


@pytest.fixture
def people(db: None) -> Any:
    with time_machine.travel(NOW, tick=False):
        made = company()
        Metric.objects.all().delete()
        apply(FILE, now=NOW)
        yield made


def secret_of(
    people: Company, name: str = "alice", *keys: str, scopes: tuple[str, ...] = ("values:write",)
) -> str:
    return tokens.create(people.users[name], "feeder", scopes, 30, keys)[1]


def post(secret: str, body: Any, key: str = "", **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {secret}", **({"Idempotency-Key": key} if key else {})}
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    kind = more.pop("content_type", "application/json")
    return Client().post("/api/v1/values/", text, content_type=kind, headers=headers)


def nps(value: object = 41.0, start: str = FEB, **more: object) -> dict:
    return {"metric": "nps", "period_start": start, "value": value, **more}


def test_a_batch_is_entered_and_shown_at_once(people: Company) -> None:
    answer = post(
        secret_of(people),
        [
            nps(41, note="survey of 300"),
            {"metric": "plans", "period_start": FEB, "numerator": 18, "denominator": 25},
            {"metric": "calls", "period_start": "2026-03-02", "dimension": "team", "member": "A", "value": 7},
        ],
    )
    assert (answer.status_code, answer.json()) == (
        200, {"added": 3, "changed": 0, "removed": 0, "unchanged": 0},
    )  # fmt: skip
    entry = Entry.objects.get(metric__key="nps")
    assert (entry.value, entry.note, entry.origin, entry.author) == (41, "survey of 300", "api", people.alice)
    months = Value.objects.filter(grain="month", dimension="", period_start=FEB)
    assert dict(months.values_list("metric__key", "value")) == {"nps": 41, "plans": 0.72, "twice": 82}
    event = events(Entry).objects.filter(value=41).get()
    assert event.pgh_context.metadata["origin"] == "api"
    assert event.pgh_context.metadata["user"] == people.alice.pk


def test_a_repeat_changes_nothing_a_correction_and_a_removal_do(people: Company) -> None:
    secret = secret_of(people)
    bodies = ([nps(41)], [nps(41)], [nps(43)], [nps(None, remove=True)], [nps(None, remove=True)])
    counts = [[k for k, n in post(secret, body).json().items() if n] for body in bodies]
    assert counts == [["added"], ["unchanged"], ["changed"], ["removed"], ["unchanged"]]
    assert not Entry.objects.exists()


MALFORMED: list[tuple[Any, str, str]] = [
    ({"metric": "nps"}, "", "Send a list"),
    ([], "", "empty"),
    ([7], "", "not an object"),
    ([{"period_start": FEB, "value": 1}], "metric", "missing"),
    ([{"metric": "nps", "value": 1}], "period_start", "missing"),
    ([nps(vaule=1)], "vaule", "unknown; there are metric"),
    ([nps(author=1)], "author", "unknown"),
    ([nps("41")], "value", "a number is wanted"),
    ([nps(True)], "value", "a number is wanted"),
    ([nps(10**400)], "value", "too large"),
    ([nps(start="2026-2-1")], "period_start", "written like"),
    ([nps(start="20260201")], "period_start", "written like"),
    ([nps(start="2026-02-30")], "period_start", "not a date of the calendar"),
    ([nps(start="0000-01-01")], "period_start", "not a date"),
    ([nps(note=5)], "note", "a text is wanted"),
    ([nps(note="x" * 501)], "note", "longer than 500"),
    ([nps(note="a\x00b")], "note", "cannot be kept"),
    ([nps(note="\ud800")], "note", "cannot be kept"),
    ([nps(remove="yes")], "remove", "true or false"),
    ([nps(member=None)], "member", "null stands for nothing"),
    ([{**nps(), "metric": ""}], "metric", "empty"),
    ([{**nps(), "metric": "x" * 81}], "metric", "longer than 80"),
]


@pytest.mark.parametrize(("body", "field", "said"), MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_batch_is_400_by_row_and_field(people: Company, body: Any, field: str, said: str) -> None:
    answer = post(secret_of(people), body)
    assert answer.status_code == 400
    problem = answer.json()
    if problem["errors"]:
        (error,) = problem["errors"]
        assert (error["index"], error["field"]) == (0, field)
        assert said in error["message"]
    else:
        assert field == "" and said in problem["detail"]
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"nonsense", b'[{"metric": NaN}]', b"[Infinity]", b"\xff\xfe", b"[" * 100_000,
        b'[{"metric": "nps", "metric": "nps", "period_start": "2026-02-01", "value": 1}]', b"9" * 5000,
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_no_json_is_400(people: Company, raw: bytes) -> None:
    answer = post(secret_of(people), raw)
    assert answer.status_code == 400 and answer.json()["detail"]


def test_another_kind_of_body_is_415(people: Company) -> None:
    answer = post(secret_of(people), "metric=nps", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415


def test_too_much_is_refused(people: Company) -> None:
    secret = secret_of(people)
    many = [nps(start=str(date(1950, 1, 1) + timedelta(days=n))) for n in range(1001)]
    answer = post(secret, many)
    assert answer.status_code == 400 and "At most 1,000" in answer.json()["detail"]
    assert post(secret, "[" + " " * 1_000_000 + "]").status_code == 413
    assert not Entry.objects.exists()


REFUSED: list[tuple[dict, str, str]] = [
    (nps(None), "value", "missing"),
    (nps(1, "2026-04-01"), "period_start", "future"),
    (nps(1, "2026-02-02"), "period_start", "opens no month"),
    (nps(1, "1850-01-01"), "period_start", "too long ago"),
    (nps(1, numerator=1), "numerator", "one value"),
    (nps(1, dimension="team", member="a"), "dimension", "not kept by"),
    (nps(1, note="‮"), "note", "U+202E"),
    ({"metric": "plans", "period_start": FEB, "value": 0.5}, "value", "two numbers"),
    ({"metric": "plans", "period_start": FEB, "numerator": 5}, "denominator", "missing"),
    ({"metric": "plans", "period_start": FEB, "numerator": 6, "denominator": 5}, "numerator", "6 of 5"),
    ({"metric": "calls", "period_start": "2026-03-02", "dimension": "team", "value": 1}, "member", "go"),
    ({"metric": "twice", "period_start": FEB, "value": 1}, "metric", "is computed"),
    ({"metric": "npss", "period_start": FEB, "value": 1}, "metric", "there is no metric 'npss'"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "field", "said"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_is_422_and_nothing_is_entered(
    people: Company, row: dict, field: str, said: str
) -> None:
    answer = post(secret_of(people), [nps(1, "2026-01-01"), row], key="k")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (1, field)
    assert said in error["message"]
    assert not Entry.objects.exists() and not IdempotencyKey.objects.exists()


def test_all_mistakes_are_told_at_once(people: Company) -> None:
    rows = [
        nps(None),
        nps(2, "2026-01-01"),
        {"metric": "twice", "period_start": FEB, "value": 1},
        nps(5, MAR),
    ]
    rows.append(nps(6, MAR))
    errors = post(secret_of(people), rows).json()["errors"]
    assert [(e["index"], e["field"]) for e in errors] == [(0, "value"), (2, "metric"), (4, "period_start")]


@pytest.mark.parametrize("name", ["bob", "charlie", "viewer", "analyst", "executive", "admin"])
def test_only_who_owns_or_counts_enters(people: Company, name: str) -> None:
    answer = post(secret_of(people, name), [nps(1)])
    assert answer.status_code == 422
    assert DENIED in answer.json()["errors"][0]["message"]
    Metric.objects.filter(key="nps").update(
        spec={"kind": "level", "grain": "month", "collect": {"by": "charlie"}}
    )
    assert post(secret_of(people, "charlie"), [nps(1)]).status_code == 200
    assert Entry.objects.count() == 1


def test_a_hidden_metric_is_as_if_there_were_none(people: Company) -> None:
    rows = [{"metric": key, "period_start": FEB, "value": 1} for key in ("hidden", "absent")]
    hidden, absent = post(secret_of(people, "bob"), rows).json()["errors"]
    assert hidden["message"].replace("hidden", "absent") == absent["message"]


def test_a_token_enters_only_what_it_is_for(people: Company) -> None:
    narrow = secret_of(people, "alice", "plans")
    assert "not for" in post(narrow, [nps(1)]).json()["errors"][0]["message"]
    assert post(secret_of(people, "alice", scopes=("read",)), [nps(1)]).status_code == 403
    assert not Entry.objects.exists()


def test_a_session_enters_with_the_token_of_the_form_alone(people: Company) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.alice)
    assert client.post("/api/v1/values/", [nps()], content_type="application/json").status_code == 403
    client.get("/settings/tokens/")
    csrf = client.cookies["csrftoken"].value
    answer = client.post(
        "/api/v1/values/", [nps()], content_type="application/json", headers={"X-CSRFToken": csrf}
    )
    assert answer.status_code == 200
    assert Client().post("/api/v1/values/", [nps()], content_type="application/json").status_code == 401


def test_today_is_the_installations(people: Company) -> None:
    """Until midnight in Auckland the first of April has not begun in London, nor the other way round."""
    from metrics.models import Installation

    with time_machine.travel(datetime(2026, 3, 31, 12, 30, tzinfo=UTC), tick=False):
        secret = secret_of(people)
        assert post(secret, [nps(1, "2026-04-01")]).status_code == 422
        Installation.objects.update_or_create(id=1, defaults={"timezone": "Pacific/Auckland"})
        assert post(secret, [nps(1, "2026-04-01")]).status_code == 200


def test_nobodys_change_is_overwritten_unseen(people: Company) -> None:
    secret, read = secret_of(people), secret_of(people, scopes=("read",))
    metric = Metric.objects.get(key="nps")
    assert post(secret, [nps(41, expected="")]).status_code == 200
    lines = Client().get("/api/v1/entries/?metric=nps", headers={"Authorization": f"Bearer {read}"})
    (line,) = lines.json()["results"]
    assert (line["value"], line["origin"], line["period_start"]) == (41, "api", FEB)
    enter(metric, [EntryRow(date(2026, 2, 1), 50.0)], author=people.alice, origin="page")
    answer = post(secret, [nps(42, expected=line["state"]), nps(1, MAR)])
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (0, "expected")
    assert "changed meanwhile by Alice: it is 50 now" in error["message"]
    assert Entry.objects.get().value == 50


def test_the_same_key_and_body_get_the_first_answer_again(people: Company) -> None:
    secret = secret_of(people)
    first = post(secret, [nps(41)], key="a-1")
    assert first.status_code == 200 and "Idempotency-Replayed" not in first
    Entry.objects.update(value=99)
    again = post(secret, '[ {"value":41.0, "period_start":"2026-02-01", "metric":"nps"}]', key="a-1")
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == first.json() == {"added": 1, "changed": 0, "removed": 0, "unchanged": 0}
    assert Entry.objects.get().value == 99, "nothing was done"


def test_the_same_key_for_another_batch_is_refused(people: Company) -> None:
    secret = secret_of(people)
    post(secret, [nps(41)], key="a-1")
    answer = post(secret, [nps(42)], key="a-1")
    assert (answer.status_code, Entry.objects.get().value) == (422, 41)
    assert "another batch" in answer.json()["detail"]


def test_a_refused_batch_leaves_its_key_free(people: Company) -> None:
    secret = secret_of(people)
    assert post(secret, [nps(None)], key="a-1").status_code == 422
    assert post(secret, [nps(41)], key="a-1").status_code == 200


def test_keys_of_different_senders_do_not_meet(people: Company) -> None:
    first, second = secret_of(people), secret_of(people)
    post(first, [nps(41)], key="a-1")
    assert "Idempotency-Replayed" not in post(second, [nps(42)], key="a-1")
    assert Entry.objects.get().value == 42


@pytest.mark.parametrize("key", [" ", "a b", "x" * 201, "é"])
def test_a_key_is_visible_ascii(people: Company, key: str) -> None:
    answer = post(secret_of(people), [nps(41)], key=key)
    assert answer.status_code == 400 and "Idempotency-Key" in answer.json()["detail"]
    assert not Entry.objects.exists()


def test_what_dies_half_way_can_be_repeated(people: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = secret_of(people)
    monkeypatch.setattr(idempotency.IdempotencyKey.objects, "filter", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        post(secret, [nps(41)], key="a-1")
    monkeypatch.undo()
    assert not Entry.objects.exists() and not Value.objects.exists()
    answer = post(secret, [nps(41)], key="a-1")
    assert answer.json()["added"] == 1 and "Idempotency-Replayed" not in answer


def test_answers_are_forgotten_after_a_week(people: Company) -> None:
    secret = secret_of(people)
    post(secret, [nps(41)], key="a-1")
    schedule.tick(NOW + timedelta(days=7))
    assert IdempotencyKey.objects.count() == 1
    schedule.tick(NOW + timedelta(days=7, seconds=1))
    assert not IdempotencyKey.objects.exists()


def test_who_leads_nothing_reads_entries_of_what_is_visible(people: Company) -> None:
    for key in ("nps", "hidden"):
        enter(Metric.objects.get(key=key), [EntryRow(date(2026, 2, 1), 5.0)], author=None, origin="file")
    client = Client()
    client.force_login(people.viewer)
    assert [line["metric"] for line in client.get("/api/v1/entries/").json()["results"]] == ["nps"]
    assert Leader.objects.exists()
