"""What pages ask first, services ask again: whoever calls one without the right changes nothing."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.test import Client

from owners.models import Action, Leader, User
from owners.services import accounts, actions, invitations, newcomers, ownership, words
from tests.people import Company, company


@pytest.fixture
def people(db: None) -> Company:
    made = company()
    made.users["invited"], _ = accounts.invite(made.admin, "new@example.com", "New", "viewer")
    return made


CALLS: dict[str, Callable[[Company], Any]] = {
    "an executive renews no link of somebody whom they have not invited": lambda c: accounts.fresh_link(
        c.executive, c.invited
    ),
    "nor takes that invitation back": lambda c: accounts.revoke_invitation(c.executive, c.invited),
    "nor takes anybody's second factor": lambda c: accounts.reset_second_factor(c.executive, c.alice),
    "nor changes roles": lambda c: accounts.change_role(c.executive, c.alice, "admin"),
    "nor their own": lambda c: accounts.change_role(c.executive, c.executive, "admin"),
    "nor deactivates": lambda c: accounts.set_active(c.executive, c.alice, False),
    "nor signs others out": lambda c: accounts.end_sessions(c.executive, c.alice),
    "nor makes admins": lambda c: accounts.add(c.executive, "x@example.com", "X", "admin"),
    "an analyst invites nobody": lambda c: accounts.add(c.analyst, "x@example.com", "X", "viewer"),
    "nor several, not even with a mistake that would be told": lambda c: invitations.invite_all(
        c.analyst,
        [invitations.Guest("Bob", "alice@example.com", "viewer", c.leaders["bob"])],
        "http://localhost",
    ),
    "nor adds leaders": lambda c: newcomers.add_leader(c.analyst, "Nobody"),
    "a leader does not state who owned a metric, not even theirs": lambda c: ownership.state_history(
        "for_everyone", [(date(2020, 1, 1), c.leaders["bob"], "")], author=c.alice
    ),
    "nor hands it over": lambda c: ownership.hand_over(
        "for_everyone", c.leaders["bob"], date(2020, 1, 1), author=c.alice
    ),
    "nor edits an action that concerns others": lambda c: actions.edit_action(
        c.charlie, Action.objects.get(), text="Mine", leader=c.leaders["charlie"], metric=None, due=None
    ),
    "nor puts theirs on a metric that they may not see": lambda c: actions.edit_action(
        c.bob,
        Action.objects.get(),
        text="Ours",
        leader=c.leaders["bob"],
        metric=c.metrics["leadership"],
        due=None,
    ),
    "nor writes another leader's summary": lambda c: words.summarise(
        c.bob, c.leaders["alice"], "2026-Q3", text="All is well", needs=""
    ),
    "an executive neither": lambda c: words.summarise(
        c.executive, c.leaders["alice"], "2026-Q3", text="All is well", needs=""
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_without_the_right_nothing_changes(people: Company, call: Callable[[Company], Any]) -> None:
    Client().force_login(people.alice)  # a session that could end
    Action.objects.create(text="Ask the hospital", leader=people.leaders["bob"])
    before = everything()
    with pytest.raises(PermissionDenied):
        call(people)
    assert everything() == before


def test_two_admins_at_once_are_read_again(people: Company) -> None:
    """Who is an admin is what the database says, not what the caller still holds."""
    held = User.objects.get(pk=people.admin.pk)
    second = User.objects.create_user("second@example.com", name="Second", role="admin")
    accounts.change_role(second, people.admin, "viewer")
    with pytest.raises(PermissionDenied):
        accounts.change_role(held, second, "viewer")
    with pytest.raises(PermissionDenied):
        accounts.set_active(held, second, False)
    second.refresh_from_db()
    assert second.is_active and second.role == "admin"
    assert Leader.objects.count() == 3


def everything() -> dict[str, list[Any]]:
    """Every row of people's tables, of sessions and of second factors."""
    models = [
        model for label in ("owners", "mfa", "sessions") for model in apps.get_app_config(label).get_models()
    ]
    return {m._meta.label: list(m._default_manager.order_by("pk").values_list()) for m in models}
