"""What was edited on a page is never silently undone by a file."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pghistory
import pytest

from metrics.models import Metric, Target
from metrics.queries.dump import dump
from metrics.services.apply import Conflicts, apply
from metrics.services.targets import set_target
from owners.models import Leader, Role, User
from owners.services.ownership import hand_over
from tests.metrics.files import file, make_warehouse, spoil, state

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
Q3 = {date(2011, 7, 1): 1000.0, date(2011, 8, 1): 1000.0, date(2011, 9, 1): 1000.0}
pytestmark = pytest.mark.django_db(transaction=True)  # instants of edits are those of transactions


@pytest.fixture
def text(tmp_path: Path) -> str:
    found = file(make_warehouse(tmp_path))
    apply(found, now=NOW)
    return found


@pytest.fixture
def priya() -> User:
    return User.objects.create_user("priya@example.com", name="Priya", role=Role.ADMIN)


def edit_name(author: User, name: str = "Orders paid") -> None:
    """As a page does it: under the request's context."""
    with pghistory.context(url="/metrics/orders/edit/", user=author.pk):
        metric = Metric.objects.get(key="orders")
        metric.name = name
        metric.save()


def test_an_edited_field_that_the_file_would_undo_is_a_conflict(text: str, priya: User) -> None:
    edit_name(priya)
    before = state()
    with pytest.raises(Conflicts) as refused:
        apply(text, now=NOW)
    (conflict,) = refused.value.conflicts
    assert (conflict.who, conflict.key) == ("Priya", "orders")
    for word in ("metric orders: name: Orders paid → Orders", "by Priya", "--overwrite orders", "UTC"):
        assert word in str(refused.value)
    assert state() == before


def test_overwrite_takes_the_files_word_for_good(text: str, priya: User) -> None:
    edit_name(priya)
    apply(text, overwrite=["orders"], now=NOW)
    assert Metric.objects.get(key="orders").name == "Orders"
    apply(spoil(text, ("name: Orders\n", "name: Invoices\n")), now=NOW)
    assert Metric.objects.get(key="orders").name == "Invoices", "the page's edit is settled"


def test_a_dump_made_after_the_edit_may_change_it(text: str, priya: User) -> None:
    edit_name(priya)
    dumped = dump()
    apply(spoil(dumped, ("name: Orders paid", "name: Invoices")), now=NOW)
    assert Metric.objects.get(key="orders").name == "Invoices"


def test_a_dump_made_before_the_edit_may_not(text: str, priya: User) -> None:
    dumped = dump()
    edit_name(priya)
    with pytest.raises(Conflicts):
        apply(dumped, now=NOW)
    with pytest.raises(Conflicts):
        apply(spoil(dumped, ("name: Orders\n", "name: Invoices\n")), now=NOW)


def test_an_edit_that_the_file_has_taken_over_is_no_conflict(text: str, priya: User) -> None:
    dumped = dump()
    edit_name(priya)
    followed = spoil(dumped, ("name: Orders\n", "name: Orders paid\n"))
    assert not apply(followed, now=NOW).changes
    apply(spoil(followed, ("name: NPS", "name: Score")), now=NOW)
    assert Metric.objects.get(key="orders").name == "Orders paid"


def test_an_edit_of_another_field_is_kept_apart(text: str, priya: User) -> None:
    """The file differs in the definition only; the page had changed the name, as the file now says too."""
    dumped = dump()
    edit_name(priya)
    both = spoil(dumped, ("name: Orders\n", "name: Orders paid\n    segment: Shops\n"))
    apply(both, now=NOW)
    assert Metric.objects.get(key="orders").segment == "Shops"


def test_a_target_set_on_a_page_is_a_conflict_until_told(text: str, priya: User) -> None:
    orders = Metric.objects.get(key="orders")
    set_target(orders, "2011-Q3", 3000, Q3, author=priya, reason="too high")
    with pytest.raises(Conflicts, match=r"target 2011-Q3: value 3,000.*→ value 4,500"):
        apply(text, now=NOW)
    assert Target.objects.get(quarter="2011-Q3").value == 3000
    apply(text, overwrite=["orders"], now=NOW)
    assert Target.objects.get(quarter="2011-Q3").value == 4500


def test_one_benchmark_moved_on_a_page_is_a_conflict(text: str, priya: User) -> None:
    orders = Metric.objects.get(key="orders")
    moved = {date(2011, 7, 1): 1300.0, date(2011, 8, 1): 1450.0, date(2011, 9, 1): 1750.0}
    set_target(orders, "2011-Q3", 4500, moved, author=priya)
    with pytest.raises(Conflicts, match="target 2011-Q3"):
        apply(text, now=NOW)


def test_a_hand_over_on_a_page_is_a_conflict(text: str, priya: User) -> None:
    hand_over("plans", Leader.objects.get(key="maya"), date(2026, 3, 10), author=priya)
    with pytest.raises(Conflicts, match="owner: maya → ana"):
        apply(text, now=NOW)


def test_a_system_without_a_person_is_no_page(text: str) -> None:
    Metric.objects.filter(key="orders").update(name="By a migration")
    apply(text, now=NOW)
    assert Metric.objects.get(key="orders").name == "Orders"
