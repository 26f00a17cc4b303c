"""Rows of small tables as they stand now, or as they were recorded at an instant (from their history)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Model


def events(model: type[Model]) -> Any:
    """The model that keeps the history of `model`."""
    return apps.get_model(model._meta.app_label, f"{model.__name__}Event")


def rows(
    model: type[Model], fields: Sequence[str], known_at: datetime | None, **lookups: Any
) -> list[dict[str, Any]]:
    """The rows of `model` that match, as dictionaries of `fields` and `id`; one SQL statement.

    With `known_at` they are read from the model's history: the newest event of each row by then, unless that
    is its removal. The lookups are then applied to what the row was at that time.
    """
    if known_at is None:
        return list(model._default_manager.filter(**lookups).values("id", *fields))
    history = events(model).objects
    newest = (
        history.filter(pgh_created_at__lte=known_at).order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    )
    found = history.filter(pgh_id__in=newest.values("pgh_id"), **lookups).exclude(pgh_label="delete")
    return [{**row, "id": row["pgh_obj_id"]} for row in found.values("pgh_obj_id", *fields)]
