"""Metrics added and changed on pages: the same as out of a definitions file, with the same refusals."""

from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from calc.calendar import Calendar
from metrics.models import Installation, Metric, MetricVersion
from metrics.queries.dump import dump
from metrics.services.apply import Conflicts, apply
from metrics.services.company import set_company
from metrics.services.entries import EntryRow, enter
from metrics.services.manual_metrics import Counted, add, add_own, change, counted_of, token_of
from owners.queries.ownership import owner_on
from tests.people import Company, company

pytestmark = pytest.mark.django_db

VISITS = Counted(
    name="Visits to the shop",
    definition="People who came in.",
    unit="count",
    lens="breadth",
    segment="Everybody",
    how="The counter at the door",
)


@pytest.fixture
def people() -> Company:
    made = company()
    Metric.objects.all().delete()
    return made


def test_an_added_metric_is_in_the_dump_and_applying_it_changes_nothing(people: Company) -> None:
    made = add(VISITS, author=people.executive)
    assert made.key == "visits_to_the_shop"
    assert made.spec == {
        "kind": "amount",
        "grain": "month",
        "collect": {"every": "month", "due": "3 working days", "how": "The counter at the door"},
    }
    assert list(MetricVersion.objects.values_list("metric__key", "number")) == [(made.key, 1)]
    written = dump()
    assert "visits_to_the_shop:" in written and "name: Visits to the shop" in written
    assert apply(written).changes == ()
    assert counted_of(Metric.objects.get()) == VISITS


@pytest.mark.parametrize(
    "said",
    [
        VISITS,
        replace(VISITS, kind="level", unit="currency:GBP", better="down", grain="week", due=0),
        replace(VISITS, kind="share", unit="percent", due=None, how="", role="guardrail", lens=""),
        replace(
            VISITS, better="band", low=2.0, high=5.5, visible="team", stage="walk", role="supporting", lens=""
        ),
        replace(VISITS, name="Null", definition="true", success="- [a: 'b'] # c\n\n\tend", segment="~"),
    ],
)
def test_what_is_said_comes_back_and_survives_the_file(people: Company, said: Counted) -> None:
    made = add(said, author=people.admin)
    assert counted_of(made) == said
    assert apply(dump()).changes == ()


def test_two_of_one_name_have_two_keys(people: Company) -> None:
    assert [add(VISITS, author=people.admin).key for _ in range(2)] == [
        "visits_to_the_shop",
        "visits_to_the_shop_2",
    ]
    assert add(replace(VISITS, name="訪問"), author=people.admin).key == "metric"
    assert add(replace(VISITS, name="New"), author=people.admin).key == "new_2"  # /metrics/new/ is a page


@pytest.mark.parametrize("name", ["viewer", "leader", "alice"])
def test_who_may_not_define_adds_nothing(people: Company, name: str) -> None:
    with pytest.raises(PermissionDenied):
        add(VISITS, author=people.users[name])
    assert not Metric.objects.exists()


def test_only_who_may_set_the_north_star_sets_it(people: Company) -> None:
    with pytest.raises(PermissionDenied):
        add(replace(VISITS, role="north_star"), author=people.analyst)
    assert not Metric.objects.exists()
    star = add(replace(VISITS, role="north_star", lens=""), author=people.executive)
    with pytest.raises(PermissionDenied):
        change(star, replace(counted_of(star), role="focus"), author=people.analyst)
    with pytest.raises(ValidationError, match="one North Star"):
        add(replace(VISITS, name="Other", role="north_star", lens=""), author=people.executive)
    assert Metric.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (replace(VISITS, name=""), "name"),
        (replace(VISITS, name="x" * 201), "name"),
        (replace(VISITS, name="a\u202eb"), "name"),
        (replace(VISITS, unit="furlongs"), "unit"),
        (replace(VISITS, better="band", low=5.0, high=2.0), "low"),
        (replace(VISITS, by="nobody"), "collect"),
    ],
)
def test_what_the_file_would_refuse_is_refused_at_its_field(
    people: Company, said: Counted, place: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        add(said, author=people.admin)
    assert place in refused.value.message_dict
    assert not Metric.objects.exists()


def test_whoever_adds_a_metric_answers_for_it_and_can_enter_its_figures(people: Company) -> None:
    made = add_own(VISITS, people.executive)
    today = timezone.localdate()
    assert str(owner_on(made.key, today)) == "Executive"
    enter(made, [EntryRow(today.replace(day=1), 5.0)], author=people.executive, origin="page")
    with pytest.raises(PermissionDenied):
        enter(made, [EntryRow(today.replace(day=1), 6.0)], author=people.admin, origin="page")


def test_a_change_keeps_what_the_page_does_not_show(people: Company) -> None:
    made = add(VISITS, author=people.admin)
    text = dump().replace(
        "    type: manual\n", "    plausible: {low: 1, high: 9}\n    by: [city]\n    type: manual\n"
    )
    apply(text)
    made.refresh_from_db()
    changed = change(made, replace(counted_of(made), name="Footfall", unit="score"), author=people.executive)
    assert (changed.name, changed.unit, changed.plausible, changed.by) == (
        "Footfall",
        "score",
        {"low": 1, "high": 9},
        ["city"],
    )
    assert changed.key == made.key
    assert apply(dump()).changes == ()


@pytest.mark.django_db(transaction=True)  # an edit carries the time at which its transaction began
def test_an_older_file_does_not_undo_a_pages_change(people: Company) -> None:
    made = add(VISITS, author=people.admin)
    older = dump()
    change(made, replace(VISITS, name="Footfall"), author=people.executive)
    with pytest.raises(Conflicts) as refused:
        apply(older)
    assert [(c.change.name, c.who) for c in refused.value.conflicts] == [("name", "Executive")]
    assert Metric.objects.get().name == "Footfall"


def test_a_change_somebody_else_made_meanwhile_is_not_written_over(people: Company) -> None:
    made = add(VISITS, author=people.admin)
    seen = token_of(made)
    change(made, replace(VISITS, name="Footfall"), author=people.admin, expected=seen)
    with pytest.raises(ValidationError, match="meanwhile"):
        change(made, replace(VISITS, name="Mine"), author=people.executive, expected=seen)
    assert Metric.objects.get().name == "Footfall"


def test_another_kind_is_refused_once_figures_are_entered(people: Company) -> None:
    made = add_own(VISITS, people.admin)
    assert change(made, replace(VISITS, grain="week"), author=people.admin).spec["grain"] == "week"
    made = change(made, replace(VISITS, grain="month"), author=people.admin)
    enter(made, [EntryRow(timezone.localdate().replace(day=1), 5.0)], author=people.admin, origin="page")
    for said in (replace(VISITS, grain="week"), replace(VISITS, kind="share")):
        with pytest.raises(ValidationError, match="Add another metric"):
            change(made, said, author=people.admin)
    level = change(made, replace(VISITS, kind="level"), author=people.admin)
    assert (level.spec["kind"], level.version) == ("level", 4)  # each way of counting is a version


def test_the_company_has_a_name_and_a_calendar(people: Company) -> None:
    calendar = Calendar("Europe/Berlin", 6, 4, "DE")
    set_company(people.executive, "  Kestrel \n Kitchens ", calendar)
    row = Installation.objects.get()
    assert (row.name, row.timezone, row.week_start, row.fiscal_year_start, row.holidays) == (
        "Kestrel Kitchens", "Europe/Berlin", 6, 4, "DE",
    )  # fmt: skip
    assert apply(dump()).changes == ()
    for wrong in (Calendar("Mars/Base"), Calendar(holidays="XX")):
        with pytest.raises(ValidationError):
            set_company(people.executive, "K", wrong)
    assert Installation.objects.get().name == "Kestrel Kitchens"


def test_a_calendar_with_figures_is_an_admins_to_change(people: Company) -> None:
    set_company(people.executive, "Kestrel", Calendar())
    made = add_own(VISITS, people.executive)
    enter(made, [EntryRow(timezone.localdate().replace(day=1), 5.0)], author=people.executive, origin="page")
    set_company(people.executive, "Kestrel Ltd", Calendar())
    with pytest.raises(ValidationError, match="only an admin"):
        set_company(people.executive, "Kestrel", Calendar(fiscal_year_start=4))
    assert Installation.objects.get().name == "Kestrel Ltd"
    set_company(people.admin, "Kestrel", Calendar(fiscal_year_start=4))
    for stranger in (people.analyst, people.alice, people.viewer):
        with pytest.raises(PermissionDenied):
            set_company(stranger, "Mine", Calendar())


def test_the_pages_of_a_metric(people: Company, client: Client) -> None:
    client.force_login(people.analyst)
    form = {
        "name": "Visits", "role": "focus", "unit": "currency", "currency": "chf", "better": "band",
        "low": "1,000", "high": "2 000", "kind": "amount", "grain": "month", "due": "2",
        "visible": "everyone", "lens": "depth",
    }  # fmt: skip
    assert client.get("/metrics/new/").status_code == 200
    assert client.post("/metrics/new/", {**form, "currency": "1"}).status_code == 422
    assert client.post("/metrics/new/", {**form, "role": "north_star"}).status_code == 422
    assert not Metric.objects.exists()
    assert (
        client.post("/metrics/new/", {**form, "key": "mine", "version": "9"})["Location"]
        == "/metrics/visits/"
    )
    made = Metric.objects.get()
    assert (made.key, made.unit, made.low, made.high, made.version) == (
        "visits",
        "currency:CHF",
        1000,
        2000,
        1,
    )
    page = client.get("/metrics/visits/edit/").content.decode()
    token = token_of(made)
    assert token in page and "currency:CHF" in page
    client.force_login(people.executive)
    again = {**form, "unit": "currency:CHF", "name": "Visitors", "token": token}
    assert client.post("/metrics/visits/edit/", again).status_code == 302
    assert client.post("/metrics/visits/edit/", again).status_code == 422  # the token is an old one
    assert Metric.objects.get().name == "Visitors"
    for stranger in (people.alice, people.viewer, people.leader):
        client.force_login(stranger)
        for path in ("/metrics/new/", "/metrics/visits/edit/"):
            assert client.get(path).status_code == client.post(path, again).status_code == 403
    assert Metric.objects.count() == 1
