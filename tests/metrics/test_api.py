"""The API: what its lists say, to whom, and what it answers to nonsense."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from metrics.models import Benchmark, Entry, Metric, Target, Value
from owners.models import Leader
from tests.people import Company, company, metric

COMPUTED = datetime(2026, 7, 2, 3, 4, 5, tzinfo=UTC)
LISTS = ("metrics", "values", "entries", "targets", "leaders")
CONTRACT = [
    "metric",
    "grain",
    "period_start",
    "period_end",
    "dimension",
    "member",
    "value",
    "numerator",
    "denominator",
    "status",
    "version",
    "computed_at",
    "disputed",
    "ingredient_disputed",
]


@pytest.fixture
def people(db: None) -> Company:
    made = company()
    for found in made.metrics.values():
        for month in (5, 6, 7):
            figure(
                found, date(2026, month, 1), value=month / 3, status="provisional" if month == 7 else "final"
            )
        figure(found, date(2026, 6, 1), dimension="country", member="GB", value=1.5)
        entered(found)
        target = Target.objects.create(metric=found, quarter="2026-Q3", value=4500.5)
        Benchmark.objects.create(target=target, month=date(2026, 7, 1), value=1350)
    return made


def figure(of: Metric, start: date, **fields: object) -> Value:
    end = (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    values: dict[str, object] = {"grain": "month", "status": "final", "version": 1, "value": 1.0, **fields}
    return Value.objects.create(metric=of, period_start=start, period_end=end, computed_at=COMPUTED, **values)


def entered(of: Metric) -> Entry:
    return Entry.objects.create(
        metric=of, period_start=date(2026, 6, 1), value=2, origin="file", entered_at=COMPUTED
    )


def client_of(people: Company, name: str) -> Client:
    client = Client()
    client.force_login(people.users[name])
    return client


def results(client: Client, name: str, **query: str) -> list[dict]:
    response = client.get(f"/api/v1/{name}/", query)
    assert response.status_code == 200, response.content
    return response.json()["results"]


def test_values_are_the_contracts_unrounded(people: Company) -> None:
    lines = results(client_of(people, "viewer"), "values")
    assert [list(line) for line in lines] == [CONTRACT] * 3
    assert lines[0] == {
        "metric": "for_everyone",
        "grain": "month",
        "period_start": "2026-05-01",
        "period_end": "2026-06-01",
        "dimension": "",
        "member": "",
        "value": 5 / 3,
        "numerator": None,
        "denominator": None,
        "status": "final",
        "version": 1,
        "computed_at": "2026-07-02T03:04:05Z",
        "disputed": False,
        "ingredient_disputed": False,
    }


@pytest.mark.parametrize(
    ("query", "months"),
    [
        ({"metric": "for_everyone"}, [5, 6, 7]),
        ({"grain": "month"}, [5, 6, 7]),
        ({"grain": "day"}, []),
        ({"status": "provisional"}, [7]),
        ({"from": "2026-06-01"}, [6, 7]),
        ({"from": "2026-05-31"}, [5, 6, 7]),
        ({"to": "2026-06-01"}, [5]),
        ({"to": "2026-06-02"}, [5, 6]),
        ({"dimension": "country"}, [6]),
        ({"dimension": "country", "member": "GB"}, [6]),
        ({"dimension": "country", "member": "FR"}, []),
        ({"limit": "1", "offset": "1"}, [6]),
    ],
)
def test_filters_of_values(people: Company, query: dict[str, str], months: list[int]) -> None:
    lines = results(client_of(people, "viewer"), "values", **query)
    assert [int(line["period_start"][5:7]) for line in lines] == months


def test_targets_come_with_the_plan_for_each_month(people: Company) -> None:
    (line,) = results(client_of(people, "viewer"), "targets", quarter="2026-Q3", leader="alice")
    assert (line["metric"], line["value"]) == ("for_everyone", 4500.5)
    assert line["benchmarks"] == [{"month": "2026-07-01", "value": 1350.0}]
    assert results(client_of(people, "viewer"), "targets", quarter="2026-Q4") == []
    assert results(client_of(people, "viewer"), "targets", leader="bob") == []


def test_metrics_and_leaders(people: Company) -> None:
    (line,) = results(client_of(people, "viewer"), "metrics")
    assert (line["key"], line["owner"], line["type"]) == ("for_everyone", "alice", "simple")
    assert "spec" not in line
    leaders = {leader["key"]: leader for leader in results(client_of(people, "bob"), "leaders")}
    assert leaders["alice"] == {
        "key": "alice",
        "name": "Alice",
        "title": "",
        "team": "growth",
        "metrics": ["for_everyone", "for_team"],
    }
    assert leaders["charlie"]["metrics"] == []


SEEN = {
    "viewer": ["everyone"],
    "charlie": ["everyone"],
    "bob": ["everyone", "team"],
    "alice": ["everyone", "team", "leadership"],
    "executive": ["everyone", "team", "leadership"],
}


@pytest.mark.parametrize("name", SEEN)
def test_nobody_reads_more_than_is_visible_to_them(people: Company, name: str) -> None:
    client, keys = client_of(people, name), [f"for_{visible}" for visible in SEEN[name]]
    assert [line["key"] for line in results(client, "metrics")] == keys
    assert sorted({line["metric"] for line in results(client, "values")}) == sorted(keys)
    assert sorted({line["metric"] for line in results(client, "targets")}) == sorted(keys)
    alice = next(leader for leader in results(client, "leaders") if leader["key"] == "alice")
    assert alice["metrics"] == sorted(keys)
    for hidden in {"for_everyone", "for_team", "for_leadership"} - set(keys):
        for listed in ("metrics", "values", "targets"):
            answer = client.get(f"/api/v1/{listed}/", {"metric": hidden})
            unknown = client.get(f"/api/v1/{listed}/", {"metric": "no_such_metric"})
            assert (answer.status_code, answer.json()) == (400, unknown.json())


def test_what_is_archived_or_hidden_is_not_there(people: Company) -> None:
    Metric.objects.filter(key="for_team").update(archived_at=COMPUTED)
    Metric.objects.filter(key="for_leadership").update(role="part")
    Leader.objects.filter(key="bob").update(archived_at=COMPUTED)
    client = client_of(people, "executive")
    assert [line["key"] for line in results(client, "metrics")] == ["for_everyone"]
    assert {line["metric"] for line in results(client, "values")} == {"for_everyone"}
    assert {line["key"] for line in results(client, "leaders")} == {"alice", "charlie"}


@pytest.mark.parametrize(
    ("listed", "query", "said"),
    [
        ("values", {"metrik": "x"}, "There are metric, grain"),
        ("values", {"metric": "x"}, "There are for_everyone"),
        ("values", {"grain": "fortnight"}, "fortnight"),
        ("values", {"from": "01/02/2026"}, "date"),
        ("values", {"to": "2026-13-01"}, "date"),
        ("values", {"status": "done"}, "done"),
        ("values", {"member": "GB"}, "dimension"),
        ("values", {"dimension": "a\x00b"}, "Null characters"),
        ("values", {"dimension": "x" * 81}, "81"),
        ("values", {"to": ""}, "leave the parameter out"),
        ("values", {"limit": "0"}, "from 1 to 1000"),
        ("values", {"limit": "1001"}, "from 1 to 1000"),
        ("values", {"limit": "ten"}, "from 1 to 1000"),
        ("values", {"offset": "-1"}, "from 0"),
        ("values", {"offset": "9" * 30}, "from 0"),
        ("values", {"offset": "١"}, "from 0"),
        ("values", {"grain": ["day", "month"]}, "more than once"),
        ("targets", {"quarter": "2026-Q5"}, "2026-Q3"),
        ("targets", {"quarter": "Q3 2026"}, "2026-Q3"),
        ("targets", {"leader": "nobody"}, "There are alice"),
        ("metrics", {"role": "star"}, "star"),
        ("metrics", {"metric": "a\x00"}, "Null characters"),
        ("leaders", {"leader": "nobody"}, "There are alice"),
    ],
)
def test_nonsense_is_answered_with_what_is_allowed(
    people: Company, listed: str, query: dict, said: str
) -> None:
    answer = client_of(people, "viewer").get(f"/api/v1/{listed}/", query)
    assert answer.status_code == 400
    name = next(iter(query))
    assert said in " ".join(answer.json()[name])


def test_pages_of_a_list(people: Company) -> None:
    client = client_of(people, "viewer")
    seen, address = [], "/api/v1/values/?limit=2"
    while address:
        page = client.get(address).json()
        assert page["count"] == 3
        seen += page["results"]
        address = page["next"]
    assert [line["period_start"] for line in seen] == ["2026-05-01", "2026-06-01", "2026-07-01"]


@pytest.mark.parametrize("listed", LISTS)
def test_as_many_statements_for_long_lists(people: Company, listed: str) -> None:
    client = client_of(people, "bob")
    client.get(f"/api/v1/{listed}/")  # the first request of a minute also clears away old counts
    with CaptureQueriesContext(connection) as few:
        assert client.get(f"/api/v1/{listed}/").json()["count"]
    for number in range(15):
        made = metric(f"more_{number}", "alice")
        figure(made, date(2026, 1, 1))
        target = Target.objects.create(metric=made, quarter="2026-Q3", value=1)
        Benchmark.objects.create(target=target, month=date(2026, 7, 1), value=1)
        Leader.objects.create(key=f"leader_{number}", name="L")
        entered(made)
    with CaptureQueriesContext(connection) as many:
        assert client.get(f"/api/v1/{listed}/").json()["count"] > 15
    assert len(many) == len(few) <= 10


@pytest.mark.parametrize("listed", [*LISTS, "schema", "docs"])
def test_strangers_get_401_in_json(db: None, listed: str) -> None:
    answer = Client().get(f"/api/v1/{listed}/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="North Star"'
    assert "script" not in answer.content.decode()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_lists_are_for_reading_only(people: Company, method: str) -> None:
    client = client_of(people, "admin")
    for listed in set(LISTS) - ({"values"} if method == "post" else set()):
        form = {"metric": "for_everyone", "value": 7, "owner": "bob", "key": "x"}
        answer = getattr(client, method)(f"/api/v1/{listed}/", form, content_type="application/json")
        assert answer.status_code == 405
    assert not Value.objects.filter(value=7).exists()


def test_the_description_has_every_list_and_answer(people: Company) -> None:
    schema = client_of(people, "viewer").get("/api/v1/schema/?version=a%0d%0ab&lang=xx").json()
    assert set(schema["paths"]) == {f"/api/v1/{listed}/" for listed in LISTS}
    answers = {
        f"{method} {path}": sorted(operation["responses"])
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    }
    posted = ["200", "400", "401", "403", "409", "413", "415", "422", "429"]
    listed = ["200", "400", "401", "403", "429"]
    assert answers == {
        **{f"get /api/v1/{name}/": listed for name in LISTS},
        "post /api/v1/values/": posted,
    }
    values = {p["name"] for p in schema["paths"]["/api/v1/values/"]["get"]["parameters"]}
    wanted = {"metric", "grain", "from", "to", "dimension", "member", "status", "limit", "offset"}
    assert values == wanted
    line = schema["components"]["schemas"]["ValueLine"]
    assert list(line["properties"]) == CONTRACT


def test_the_page_of_the_description_runs_under_the_policy(people: Company) -> None:
    page = client_of(people, "viewer").get("/api/v1/docs/").content.decode()
    scripts = [part.split(">")[0] for part in page.split("<script")[1:]]
    assert scripts
    assert all(" src=" in script for script in scripts)
    assert "https://" not in page
    script = client_of(people, "viewer").get("/api/v1/docs/?script=")
    assert "/api/v1/schema/" in script.content.decode()
