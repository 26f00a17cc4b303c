"""Edits made on pages that a file would undo."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model

from metrics.definitions.changes import Change
from metrics.models import Benchmark, Driver, Installation, Metric, Source, Target, Warehouse
from metrics.queries.dump import COLUMNS
from metrics.queries.recorded import events
from owners.models import Leader, Ownership, Team, User

APPLY = "apply"  # the origin of events that a file has caused
_MODELS: dict[str, type[Model]] = {
    "warehouses": Warehouse,
    "sources": Source,
    "teams": Team,
    "leaders": Leader,
    "metrics": Metric,
}
# Fields of the file that are kept in a column with another name.
_COLUMNS = {
    "sources": {"warehouse": "warehouse_id", "data_owner": "data_owner_id"},
    "leaders": {"team": "team_id"},
}
_WHOLE = {"warehouses": ("engine", "options"), "sources": ("spec",)}


@dataclass(frozen=True)
class Conflict:
    """A page's edit that the file would undo: who, when, what stands now and what the file says."""

    change: Change
    who: str
    when: datetime

    @property
    def key(self) -> str:
        return self.change.key or self.change.section

    def __str__(self) -> str:
        return f"{self.change}; edited on a page by {self.who} at {self.when:%Y-%m-%d %H:%M} UTC"


def find(changes: Iterable[Change], since: datetime | None) -> list[Conflict]:
    """The conflicts among `changes`: fields that were edited on a page after `since` (the file's revision;
    None: ever) and that no later apply has taken over or back."""
    found: list[tuple[Change, int | None, datetime]] = []
    for change in changes:
        if change.what in ("new", "kept", "missing") or change.part in ("order", "secret"):
            continue
        edit = _last_edit(change, since)
        if edit is not None:
            found.append((change, *edit))
    users = User.objects.in_bulk({user for _, user, _ in found if user})
    return [
        Conflict(change, str(users[user]) if user in users else "somebody", when)
        for change, user, when in found
    ]


def _last_edit(change: Change, since: datetime | None) -> tuple[int | None, datetime] | None:
    """(user, when) of the newest edit on a page of what `change` is about, if it is newer than any apply."""
    lists: list[tuple[type[Model], dict[str, Any]]]
    match change.part:
        case "target":
            of = {"metric__key": change.key, "quarter": change.name, "dimension": ""}
            targets = list(Target.objects.filter(**of).values_list("pk", flat=True))
            # to agree to a target on a page is not to edit what a file says of it
            edited = _edit(Target, {"pgh_obj_id__in": targets}, since, ("value", "growth", "baseline"))
            months = _edit(Benchmark, {"target_id__in": targets}, since, ())
            edits = [edit for edit in (edited, months) if edit]
            lists = [(Target, {"pgh_obj_id__in": targets}), (Benchmark, {"target_id__in": targets})]
        case "owners":
            lists = [(Ownership, {"metric_key": change.key, "dimension": ""})]
        case "drivers":
            lists = [(Driver, {"metric__key": change.key})]
        case _:
            return _edit_of_fields(change, since)
    if change.part != "target":
        edits = [edit for model, lookups in lists if (edit := _edit(model, lookups, since, ()))]
    applies = [when for model, lookups in lists if (when := _last_apply(model, lookups))]
    newest = max(edits, key=lambda edit: edit[1], default=None)
    return None if newest is None or any(when >= newest[1] for when in applies) else newest


def _edit_of_fields(change: Change, since: datetime | None) -> tuple[int | None, datetime] | None:
    if change.section == "calendar":
        return _edit(Installation, {"pgh_obj_id": 1}, since, (change.name,), after_apply=True)
    model = _MODELS[change.section]
    row = model._default_manager.filter(key=change.key).first()
    if row is None:
        return None
    columns: Collection[str]
    if change.what in ("archived", "renamed"):
        columns = ()
    elif change.name in _COLUMNS.get(change.section, {}):
        columns = (_COLUMNS[change.section][change.name],)
    elif change.section == "metrics" and change.name not in COLUMNS:
        columns = ("spec",)
    else:
        columns = _WHOLE.get(change.section, (change.name,))
    return _edit(model, {"pgh_obj_id": row.pk}, since, columns, after_apply=True, name=change.name)


def _last_apply(model: type[Model], lookups: dict[str, Any]) -> datetime | None:
    history = events(model).objects.filter(**lookups, pgh_context__metadata__origin=APPLY)
    newest: datetime | None = history.order_by("-pgh_id").values_list("pgh_created_at", flat=True).first()
    return newest


def _edit(
    model: type[Model],
    lookups: dict[str, Any],
    since: datetime | None,
    columns: Collection[str],
    *,
    after_apply: bool = False,
    name: str = "",
) -> tuple[int | None, datetime] | None:
    """The newest edit on a page that changed one of `columns` (() any) of the rows that `lookups` choose.

    after_apply: an edit does not count once a later event of an apply has changed the same columns again.
    """
    history = list(
        events(model)
        .objects.filter(**lookups)
        .order_by("pgh_obj_id", "pgh_id")
        .values("pgh_obj_id", "pgh_label", "pgh_created_at", "pgh_context__metadata", *columns)
    )
    newest: tuple[int | None, datetime] | None = None
    for n, event in enumerate(history):
        before = history[n - 1] if n and history[n - 1]["pgh_obj_id"] == event["pgh_obj_id"] else None
        if columns and before is not None and not _differs(before, event, columns, name):
            continue
        said = event["pgh_context__metadata"] or {}
        if said.get("origin") == APPLY:
            if after_apply:
                newest = None
        elif ("url" in said or said.get("user")) and (since is None or event["pgh_created_at"] >= since):
            newest = (said.get("user"), event["pgh_created_at"])
    return newest


def _differs(before: dict[str, Any], event: dict[str, Any], columns: Collection[str], name: str) -> bool:
    for column in columns:
        old, new = before[column], event[column]
        if column in ("options", "spec") and name and isinstance(old, dict) and isinstance(new, dict):
            # One key of a column that holds many.
            old, new = old.get(name), new.get(name)
        if old != new:
            return True
    return False


def describe(conflicts: Iterable[Conflict]) -> str:
    """The conflicts as lines, with the way out."""
    lines = [str(conflict) for conflict in conflicts]
    keys = dict.fromkeys(conflict.key for conflict in conflicts)
    hint = " ".join(f"--overwrite {key}" for key in keys)
    return "\n".join([*lines, f"to take what the file says: {hint}"])
