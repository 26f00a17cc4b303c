"""Leaders in the file: whose holidays and which day are theirs; who still answers is not archived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from metrics.definitions.mistakes import DefinitionsError
from metrics.models import Source
from metrics.queries.dump import dump
from metrics.services.apply import Conflicts, apply
from owners.models import Leader, Leave, Ownership, Role, User
from owners.services.leaders import LeaderText, StillAnswers, archive_leader, change_leader
from tests.metrics.files import file, make_warehouse, spoil, state

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)
ANA = "  ana: {name: Ana}\n"


@pytest.fixture
def text(tmp_path: Path) -> str:
    found = file(make_warehouse(tmp_path))
    apply(found, now=NOW)
    return found


@pytest.fixture
def priya() -> User:
    return User.objects.create_user("priya@example.com", name="Priya", role=Role.ADMIN)


def test_country_and_zone_go_in_and_come_out(text: str) -> None:
    said = spoil(text, (ANA, "  ana: {name: Ana, country: DE-BY, timezone: Europe/Berlin}\n"))
    apply(said, now=NOW)
    ana = Leader.objects.get(key="ana")
    assert (ana.country, ana.timezone) == ("DE-BY", "Europe/Berlin")
    dumped = dump()
    assert "country: DE-BY" in dumped and "timezone: Europe/Berlin" in dumped
    assert not apply(dumped, now=NOW).changes
    apply(text, now=NOW)
    ana.refresh_from_db()
    assert (ana.country, ana.timezone) == ("", "")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("country: XX", "no holidays are known for 'XX'"),
        ("timezone: Berlin", "there is no time zone 'Berlin'"),
    ],
)
def test_what_is_no_country_and_no_zone_is_refused(text: str, said: str, why: str) -> None:
    with pytest.raises(DefinitionsError, match=why):
        apply(spoil(text, (ANA, f"  ana: {{name: Ana, {said}}}\n")), now=NOW)


def test_what_a_page_has_said_is_not_undone_by_an_older_file(text: str, priya: User) -> None:
    change_leader(priya, Leader.objects.get(key="ana"), LeaderText("Ana", country="GB"))
    with pytest.raises(Conflicts) as refused:
        apply(text, now=NOW)
    (conflict,) = refused.value.conflicts
    assert (conflict.key, conflict.change.name, conflict.who) == ("ana", "country", "Priya")
    assert Leader.objects.get(key="ana").country == "GB"


def without_leaders(text: str) -> str:
    """A file that manages leaders, names nobody, and leaves metrics to pages."""
    start, end = text.index("leaders:"), text.index("metrics:")
    return text[: text.index("warehouses:")] + "leaders: {}\n" if start < end else ""


def test_who_still_answers_is_not_archived_by_a_file(text: str) -> None:
    owner = Ownership.objects.exclude(leader=None).order_by("pk")[0].leader
    assert owner is not None
    before = state()
    with pytest.raises(StillAnswers) as page:
        archive_leader(None, owner)
    with pytest.raises(DefinitionsError) as refused:
        apply(without_leaders(text), archive=True, now=timezone.now())
    assert " ".join(page.value.messages) in str(refused.value)
    assert state() == before


def test_nor_who_is_to_answer_or_owns_a_member(text: str) -> None:
    today = timezone.localdate()
    ana = Leader.objects.get(key="ana")
    Ownership.objects.all().delete()
    for row in (
        {"from_date": today + timedelta(days=30)},
        {"from_date": today, "dimension": "country", "member": "DE"},
    ):
        held = Ownership.objects.create(metric_key="orders", leader=ana, **row)
        with pytest.raises(DefinitionsError, match="Ana still answers for metrics"):
            apply(without_leaders(text), archive=True, now=timezone.now())
        held.delete()
    assert Leader.objects.get(key="ana").archived_at is None


def test_who_answers_for_nothing_is_archived_and_their_leave_ahead_goes(text: str) -> None:
    today = timezone.localdate()
    Ownership.objects.all().delete()
    Source.objects.update(data_owner=None)
    ana = Leader.objects.get(key="ana")
    for start in (-5, 5):
        Leave.objects.create(
            leader=ana,
            from_date=today + timedelta(days=start),
            until_date=today + timedelta(days=start + 2),
        )
    apply(without_leaders(text), archive=True, now=timezone.now())
    assert Leader.objects.get(key="ana").archived_at is not None
    assert [leave.from_date for leave in Leave.objects.all()] == [today - timedelta(days=5)]
