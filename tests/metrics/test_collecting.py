"""Who counts a manual metric is named on a page, and is part of the definitions file as if it stood there."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from metrics.models import Metric, MetricVersion
from metrics.queries.dump import dump
from metrics.services.apply import Conflicts, apply
from owners.models import Leader
from owners.rules import can
from tests.metrics.stage import Stage, stage
from tests.metrics.test_pages_writing import inputs, signed_in

pytestmark = pytest.mark.django_db
PAGE = "/metrics/plans/owner/"
PATH = f"{PAGE}counted/"


@pytest.fixture
def company() -> Stage:
    return stage(timezone.localdate())


def collect() -> dict[str, str]:
    return dict(Metric.objects.get(key="plans").spec.get("collect") or {})


def metrics_of(text: str) -> str:
    """A file's revision and metrics; the stage's warehouse is none that a file could name."""
    revision = next(line for line in text.splitlines() if line.startswith("revision:"))
    return f"{revision}\n{text[text.index('metrics:') :]}"


def fields(client: Client, **said: str) -> dict[str, str]:
    """The form as the page shows it, with the words of `said` written over it."""
    shown = {name: value for name, value in inputs(client, PAGE).items() if name.startswith("counted-")}
    shown |= {"counted-by": "elena", "counted-working": "working", "counted-how": ""}
    return shown | {f"counted-{name}": value for name, value in said.items()}


def save(client: Client, **said: str) -> Any:
    return client.post(PATH, fields(client, **said))


def test_who_when_from_where_and_how_are_kept_and_shown(company: Stage) -> None:
    client = signed_in(company.executive)
    response = save(
        client, by="charlie", every="on", due="3", origin="CRM export, column F", how="Count\r\nthe rows."
    )
    assert response.status_code == 302 and response["Location"] == f"{PAGE}#counted"
    assert collect() == {
        "by": "charlie",
        "every": "month",
        "due": "3 working days",
        "from": "CRM export, column F",
        "how": "Count\nthe rows.",
    }
    page = client.get(PAGE).content.decode()
    assert '<option value="charlie" selected>' in page and 'id="counted"' in page
    assert inputs(client, PAGE)["counted-origin"] == "CRM export, column F"
    plans = Metric.objects.get(key="plans")
    assert can(company.charlie, "metric.enter_values", plans)
    assert plans.version == 1  # who counts does not change what a figure means
    assert list(MetricVersion.objects.filter(metric=plans).values_list("number", flat=True)) == [1]


@pytest.mark.parametrize(
    ("due", "working", "written"),
    [("1", "working", "1 working day"), ("5", "days", "5 days"), ("0", "days", "0 days"), ("", "days", None)],
)
def test_when_it_is_due_in_the_words_of_the_file(
    company: Stage, due: str, working: str, written: str | None
) -> None:
    client = signed_in(company.analyst)
    save(client, due=due, working=working)
    assert collect().get("due") == written
    assert inputs(client, PAGE)["counted-due"] == due


def test_saved_again_nothing_is_changed(company: Stage) -> None:
    client = signed_in(company.executive)
    save(client, due="3", origin="CRM")
    before = collect()
    response = client.post(PATH, fields(client), follow=True)
    assert "Nothing was changed." in response.content.decode()
    assert collect() == before


@pytest.mark.django_db(transaction=True)  # the instants of edits are those of transactions
def test_dump_holds_it_and_an_older_file_meets_a_conflict(company: Stage) -> None:
    older = metrics_of(dump())
    save(signed_in(company.executive), by="charlie", origin="the CRM")
    newer = metrics_of(dump())
    assert "from: the CRM" in newer and "from: the CRM" not in older
    with pytest.raises(Conflicts) as refused:
        apply(older)
    (conflict,) = refused.value.conflicts
    assert (conflict.key, conflict.change.name, conflict.who) == ("plans", "collect", "Executive")
    assert collect()["by"] == "charlie"
    assert not [change for change in apply(newer).changes if change.key == "plans"]
    apply(older, overwrite=["plans"])
    assert collect() == {"by": "elena"}


def test_somebody_elses_change_is_not_undone(company: Stage) -> None:
    first, second = signed_in(company.executive), signed_in(company.admin)
    seen = fields(first, origin="mine")
    assert save(second, origin="theirs").status_code == 302
    response = first.post(PATH, seen)
    assert response.status_code == 409
    page = response.content.decode()
    assert "Somebody else changed" in page and 'value="theirs"' in page
    assert collect()["from"] == "theirs"
    # another field of the metric is no such change
    seen = fields(first, origin="mine")
    Metric.objects.filter(key="plans").update(definition="Said anew.")
    assert first.post(PATH, seen).status_code == 302
    plans = Metric.objects.get(key="plans")
    assert (plans.definition, plans.spec["collect"]["from"]) == ("Said anew.", "mine")


def test_who_has_left_is_not_offered_and_the_page_says_so(company: Stage) -> None:
    Leader.objects.filter(key="elena").update(archived_at=timezone.now())
    client = signed_in(company.executive)
    page = client.get(PAGE).content.decode()
    assert "counted it and has left" in page
    assert 'value="elena"' not in page
    response = save(client, by="elena", origin="x")
    assert response.status_code == 422
    assert collect() == {"by": "elena"}
    save(client, by="charlie")
    assert "counted it and has left" not in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"by": "nobody"}, "nobody is not one of the available choices"),
        ({"due": "-1"}, "greater than or equal to 0"),
        ({"due": "3.5"}, "whole number"),
        ({"due": "367"}, "less than or equal to 366"),
        ({"working": "weeks"}, "weeks is not one of"),
        ({"origin": "x" * 201}, "at most 200"),
        ({"how": "x" * 2_001}, "at most 2000"),
        ({"origin": "CRM\u202eFRC"}, "U+202E"),
    ],
)
def test_what_is_refused_is_said_beside_its_field(company: Stage, said: dict[str, str], why: str) -> None:
    client = signed_in(company.executive)
    response = save(client, **said)
    assert response.status_code == 422
    assert why in response.content.decode()
    assert collect() == {"by": "elena"}


def test_only_who_may_hand_over_names_a_collector(company: Stage) -> None:
    given = fields(signed_in(company.executive), by="charlie")
    for user in (company.elena, company.charlie, company.viewer):
        assert signed_in(user).post(PATH, given).status_code == 403, user
    assert Client().post(PATH, given)["Location"].startswith("/account/login/")
    hidden = "/metrics/nps/owner/counted/"
    assert signed_in(company.elena).post(hidden, given).status_code in (403, 404)
    assert collect() == {"by": "elena"}
    assert not Metric.objects.get(key="nps").spec.get("collect")


def test_a_computed_metric_has_no_collector(company: Stage) -> None:
    client = signed_in(company.admin)
    assert 'id="counted"' not in client.get("/metrics/orders/owner/").content.decode()
    before = Metric.objects.get(key="orders").spec
    given = fields(client, by="charlie")
    assert client.post("/metrics/orders/owner/counted/", given).status_code == 404
    assert Metric.objects.get(key="orders").spec == before
    assert client.get(PATH).status_code == 405
