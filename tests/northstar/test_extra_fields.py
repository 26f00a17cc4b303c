"""What a form does not ask for changes nothing, on every page: roles, owners, states, sources sent along."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.db import models, transaction
from django.utils import timezone

from owners.models import Action, Leader, User
from tests.metrics.stage import Stage, stage
from tests.northstar.test_hostile_forms import forms, signed_in

pytestmark = pytest.mark.django_db
# Words that a form may be given without being asked, for each kind of column of ours.
SAID: dict[type[models.Field[Any, Any]], str] = {
    models.BooleanField: "1",
    models.IntegerField: "1",
    models.FloatField: "0.77",
    models.DateField: "2001-02-03",
    models.DateTimeField: "2001-02-03T04:05:06",
    models.JSONField: '{"sql": "select 1"}',
    models.EmailField: "evil@example.com",
    models.TextField: "evil",
    models.CharField: "evil",
}
MEANT = {
    "role": "admin", "visible": "leadership", "state": "agreed", "status": "on_track", "origin": "api",
    "type": "sql", "engine": "postgres", "action": "save",
}  # fmt: skip
BOOKKEEPING = ("Attempt", "SignIn")
COUNTED = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+"
)  # in a notice's key and path: rows, repeats
# Numbers of rows and moments differ between two runs of the same.
MOVES = (
    "id",
    "digest",
    "prefix",
    "secret",
    "run_id",
    "session_key",
    "session_data",
    "expire_date",
    "password",
)


@pytest.fixture
def company() -> Stage:
    made = stage(timezone.localdate())
    elena = Leader.objects.get(key="elena")
    Action.objects.create(text="Call the depots", leader=elena, metric_key="on_time")
    return made


def ours() -> list[type[models.Model]]:
    """Our models, without the histories: those follow."""
    return [
        model
        for model in apps.get_models()
        if model._meta.app_label in ("owners", "metrics")
        and not model.__name__.endswith("Event")
        and model.__name__ not in BOOKKEEPING
    ]


def extras(company: Stage) -> dict[str, str]:
    """Every column of ours by its name, as a field of a form; whose it is: the one who must not have it."""
    found: dict[str, str] = {}
    for model in ours():
        for column in model._meta.concrete_fields:
            if isinstance(column, models.ForeignKey):
                mine = str(company.viewer.pk if column.related_model is User else 1)
                found |= {column.name: mine, column.attname: mine}
            else:
                kinds = (words for kind, words in SAID.items() if isinstance(column, kind))
                found[column.name] = MEANT.get(column.name, next(kinds, "evil"))
    return found


def everything() -> dict[str, list[list[tuple[str, str]]]]:
    """All that is stored, without what moves by itself."""
    return {
        model._meta.label: sorted(
            [
                (name, COUNTED.sub("#", str(value)) if name in ("key", "path") else str(value))
                for name, value in row.items()
                if name not in MOVES and not name.endswith(("_at", "_on")) and name != "last_login"
            ]
            for row in model._default_manager.values()
        )
        for model in ours()
    }


def test_no_form_takes_more_than_it_asks_for(company: Stage) -> None:
    taken, wrong = 0, {}
    others = extras(company)
    assert {"role", "is_active", "is_superuser", "leader", "user", "spec", "archived_at"} <= others.keys()
    for user, form in forms(company):
        asked = {**form.fields}
        for name in form.typed:
            asked[name] = asked.get(name) or "Seven"
        # A form with rows names its fields with numbers or keys, an unticked box is not among its fields.
        more = {name: words for name, words in others.items() if name not in asked}
        states, codes = [], []
        for sent in (asked, {**asked, **more}):
            with transaction.atomic():
                codes.append(signed_in(user).post(form.action, sent).status_code)
                states.append(everything())
                transaction.set_rollback(True)
        taken += codes[0] == 302
        if states[0] != states[1] or codes[0] != codes[1]:
            wrong[form.action] = (codes, _differences(*states))
    assert taken > 10
    assert not wrong, wrong


def _differences(before: Any, after: Any) -> list[str]:
    """The columns that the second state has otherwise, in words that fit into a message."""
    return [
        f"{label}: {pair}"
        for label, rows in before.items()
        for row, other in zip(rows, after[label], strict=False)
        for pair in sorted({*other} - {*row})
    ][:20]
