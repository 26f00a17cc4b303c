"""Back to an earlier target or definition, as a new change."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from calc.calendar import Calendar
from metrics.models import Metric, Source, Target, Warehouse
from metrics.queries import audit
from metrics.queries.audit import Change, Cut, earlier_definition, earlier_target
from metrics.services.apply import apply
from metrics.services.returning import return_target
from metrics.services.targets import set_target, token_of
from tests.metrics.defining import patient as patient
from tests.metrics.defining import people as people
from tests.metrics.stage import Stage, stage
from tests.metrics.test_pages_writing import inputs, signed_in
from tests.people import Company

pytestmark = pytest.mark.django_db(transaction=True)  # each change has a time of its own

BY_HAND = """
metrics:
  visits:
    name: {name}
    type: manual
    kind: amount
    grain: month
    unit: {unit}
"""


@pytest.fixture
def company() -> Iterator[Stage]:
    yield stage(timezone.localdate())


def newest(title: str, number: int = 0) -> Change:
    return [c for c in audit.changes(Cut(), Calendar(), limit=500).changes if c.title == title][number]


def of_orders(company: Stage) -> tuple[Metric, Target | None]:
    metric = Metric.objects.get(key="orders")
    return metric, Target.objects.filter(metric=metric, quarter=company.quarter).first()


def months(company: Stage, *values: float) -> dict[date, float]:
    return dict(zip(company.months, values, strict=True))


def test_a_target_with_its_months(company: Stage) -> None:
    metric, _ = of_orders(company)
    first = months(company, 3_000.0, 3_000.0, 4_000.0)
    set_target(metric, company.quarter, 10_000.0, first, author=company.executive, reason="more")
    event = newest("target").event
    second = months(company, 1_000.0, 2_000.0, 5_000.0)
    set_target(metric, company.quarter, 8_000.0, second, author=company.executive, reason="less")
    client = signed_in(company.executive)
    page = f"/settings/audit/target/{event}/"
    shown = client.get(page).content.decode()
    assert "8\u202f000" in shown and "10\u202f000" in shown and "4\u202f000" in shown
    assert page in client.get("/settings/audit/").content.decode()
    fields = inputs(client, page)
    assert client.post(page, fields | {"reason": "It was right"}).status_code == 302
    _, target = of_orders(company)
    assert target is not None
    assert (target.value, target.reason) == (10_000.0, "It was right")
    assert {b.month: b.value for b in target.benchmarks.all()} == first
    change = newest("target")
    assert (change.what, change.who) == ("changed", "Executive")  # beside the others, not in their place
    assert "nothing would change" in client.get(page).content.decode()


def test_a_target_that_was_taken_away(company: Stage) -> None:
    metric, _ = of_orders(company)
    set_target(metric, company.quarter, 9_000.0, author=company.executive, reason="so")
    event = newest("target").event
    set_target(metric, company.quarter, None, author=company.executive, reason="none")
    assert of_orders(company)[1] is None
    assert newest("target").kept == ""  # to a removal nobody returns
    client = signed_in(company.analyst)
    page = f"/settings/audit/target/{event}/"
    assert client.post(page, inputs(client, page)).status_code == 302
    _, target = of_orders(company)
    assert target is not None and target.value == 9_000.0


def test_the_months_alone(company: Stage) -> None:
    _, target = of_orders(company)
    assert target is not None
    target.benchmarks.filter(month=company.months[0]).update(value=3_333.0)
    event = newest("plan of a month").event
    target.benchmarks.filter(month=company.months[0]).update(value=2.0)
    found = earlier_target(event, plan=True)
    assert found is not None
    assert found.benchmarks == months(company, 3_333.0, 3_100.0, 3_100.0)
    assert [(d.before, d.after) for d in found.differences] == [("2", "3\u202f333")]
    assert signed_in(company.executive).get(f"/settings/audit/plan/{event}/").status_code == 200


def test_somebody_else_was_quicker(company: Stage) -> None:
    metric, _ = of_orders(company)
    set_target(metric, company.quarter, 9_000.0, author=company.executive, reason="so")
    event = newest("target").event
    set_target(metric, company.quarter, 8_000.0, author=company.executive, reason="less")
    client = signed_in(company.executive)
    page = f"/settings/audit/target/{event}/"
    fields = inputs(client, page)
    set_target(metric, company.quarter, 7_000.0, author=company.analyst, reason="least")
    refused = client.post(page, fields)
    assert refused.status_code == 422
    assert "changed it meanwhile" in refused.content.decode()
    _, target = of_orders(company)
    assert target is not None and target.value == 7_000.0
    assert client.post(page, fields | {"token": token_of(target)}).status_code == 302


def test_a_definition_becomes_a_new_version(company: Stage) -> None:
    apply(BY_HAND.format(name="Visits", unit="count"), author=company.admin)
    event = newest("metric").event
    apply(BY_HAND.format(name="Calls", unit="score"), author=company.admin)
    client = signed_in(company.analyst)
    page = f"/settings/audit/metric/{event}/"
    shown = client.get(page).content.decode()
    assert "Visits" in shown and "Calls" in shown
    assert client.post(page, inputs(client, page)).status_code == 302
    metric = Metric.objects.get(key="visits")
    assert (metric.name, metric.unit) == ("Visits", "count")
    assert newest("metric").who == "Analyst"
    # a file that says what was before is told that a page has changed it since
    assert earlier_definition("metric", event).differences == ()


def test_who_may(company: Stage) -> None:
    metric, _ = of_orders(company)
    set_target(metric, company.quarter, 9_000.0, author=company.executive, reason="so")
    event, definition = newest("target").event, newest("metric").event
    set_target(metric, company.quarter, 8_000.0, author=company.executive, reason="less")
    for user in (company.elena, company.charlie, company.viewer):
        assert signed_in(user).get(f"/settings/audit/target/{event}/").status_code == 403
        assert signed_in(user).post(f"/settings/audit/target/{event}/", {"reason": "x"}).status_code == 403
    assert Client().post(f"/settings/audit/target/{event}/", {"reason": "x"}).status_code == 302
    for user in (company.elena, company.executive):
        for what in ("metric", "source"):
            path = f"/settings/audit/{what}/{definition}/"
            assert signed_in(user).post(path, {"reason": "x"}).status_code == 403
    found = earlier_target(event)
    assert found is not None
    with pytest.raises(PermissionDenied):
        return_target(company.charlie, found, reason="x", expected="")
    assert of_orders(company)[1].value == 8_000.0
    for nothing in ("target", "plan", "metric", "source"):
        assert signed_in(company.admin).get(f"/settings/audit/{nothing}/999999999/").status_code == 404


TABLE = "sources:\n  orders: {warehouse: shop, table: orders, time: ordered_at}\n"
QUERY = "sources:\n  orders: {warehouse: shop, sql: SQL, time: ordered_at}\n"
FIRST, SECOND = "select * from orders where quantity > 0", "select * from orders"
LOADED = "sources:\n  orders: {warehouse: shop, table: orders, time: ordered_at, loaded_to: SQL}\n"
EVERY_ROLE = ("viewer", "leader", "alice", "analyst", "executive", "admin")


def returned(people: Company, name: str, event: int) -> int:
    """The answer to who would return to the source as it was then."""
    client = signed_in(people.users[name])
    page = f"/settings/audit/source/{event}/"
    fields = inputs(client, page) if client.get(page).status_code == 200 else {}
    return client.post(page, {"reason": "so", **fields}).status_code


@pytest.mark.parametrize("now", ["table", "other query"])
@pytest.mark.parametrize(
    "then", [QUERY.replace("SQL", FIRST), LOADED.replace("SQL", "select max(ordered_at) from orders")]
)
def test_an_earlier_query_is_for_those_who_may_write_one(people: Company, then: str, now: str) -> None:
    """Whoever may not write SQL does not get it into a source by its history either."""
    apply(then, author=people.admin)
    event = newest("source").event
    apply(TABLE if now == "table" else QUERY.replace("SQL", SECOND), author=people.admin)
    before = Source.objects.get(key="orders").spec
    for name in EVERY_ROLE[:-1]:
        assert returned(people, name, event) == 403, name
        assert Source.objects.get(key="orders").spec == before, name
    assert returned(people, "admin", event) == 302
    assert Source.objects.get(key="orders").spec != before
    assert newest("source").who == people.admin.name


def test_an_earlier_table_is_for_those_who_define_sources(people: Company) -> None:
    apply(TABLE, author=people.admin)
    event = newest("source").event
    for name in EVERY_ROLE:
        apply(QUERY.replace("SQL", FIRST), author=people.admin, overwrite=["orders"])
        may = name in ("analyst", "admin")
        assert returned(people, name, event) == (302 if may else 403), name
        assert Source.objects.get(key="orders").spec.get("table", "") == ("orders" if may else ""), name


def test_to_an_earlier_password_nobody_returns(people: Company) -> None:
    """Warehouses have no way back: their passwords are in no history, and who sets a host gives the password
    for it."""
    says = "warehouses:\n  crm: {engine: postgres, host: HOST, database: crm, user: u, password: PASS}\n"
    for host, password in (("one", "first-secret"), ("two", "second-secret")):
        apply(says.replace("HOST", host).replace("PASS", password), author=people.admin)
    changes = audit.changes(Cut(), Calendar("UTC"), limit=500).changes
    of_warehouses = [change for change in changes if "warehouse" in change.title]
    assert len(of_warehouses) >= 2
    assert {change.kept for change in of_warehouses} == {""}
    secrets = Warehouse.objects.get(key="crm").secrets
    for name in EVERY_ROLE:
        client = signed_in(people.users[name])
        for change in of_warehouses:
            for what in ("warehouse", "source", "metric", "target", "plan"):
                answer = client.post(f"/settings/audit/{what}/{change.event}/", {"reason": "x"})
                assert answer.status_code in (403, 404, 422), (name, what)
        text = client.get("/settings/audit/").content.decode()
        assert "first-secret" not in text
        assert "second-secret" not in text
    assert Warehouse.objects.get(key="crm").secrets == secrets
    assert Warehouse.objects.get(key="crm").options["host"] == "two"
