"""Who counts a manual metric's figures, when, from where and how: changed on a page, kept as in the file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pghistory
from django.db import connection, transaction
from django.utils import timezone

from metrics.definitions.fields import compact
from metrics.definitions.metric import MetricText
from metrics.models import Metric
from metrics.queries.dump import stored
from metrics.services import apply as applying
from metrics.services import ledger, storing
from metrics.services.apply import LOCK
from metrics.services.defining import PAGE, Changed, text_of, token
from owners.models import User
from owners.rules import require


class NotCounted(Exception):
    """The metric is computed: nobody counts it."""


def token_of(spec: Mapping[str, Any]) -> str:
    """Names the state of a stored spec's collecting, so that two who edit it see each other."""
    return token(dict(spec.get("collect") or {}))


def collect(
    metric: Metric,
    said: Mapping[str, str],
    *,
    author: User | None,
    expected: str,
    now: datetime | None = None,
) -> bool:
    """Makes the metric's `collect` (by, every, due, from, how, in the file's words) what is `said`; whether
    anything changed. What a figure means stays: no new version.

    Raises PermissionDenied without `metric.set_owner`; NotCounted; Changed if `expected` is not the token of
    what is stored; DefinitionsError with what `apply` would say of the same words.
    """
    require(author, "metric.set_owner", metric)
    moment = now or timezone.now()
    with transaction.atomic(), pghistory.context(origin=PAGE, user=author.pk if author else None):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        held = (stored().metrics or {}).get(metric.key)
        if held is None or held.fields.get("type") != "manual":
            raise NotCounted
        spec = held.fields.get("spec", {})
        if token_of(spec) != expected:
            raise Changed
        fields = {**held.fields, "spec": compact({**spec, "collect": compact(dict(said))})}
        # Who may hand a metric over may name its collector, also without the right to define it, which
        # the file's own check would ask for: nothing but `collect` is new in this text.
        text = text_of("metrics", metric.key, MetricText(fields=fields))
        intent = applying.prepare(text, author=None, overwrite=[metric.key], archive=False, now=moment)
        changed = [c for c in intent.changes if c.what not in ("missing", "kept")]
        assert all((c.key, c.name) == (metric.key, "collect") for c in changed)
        if changed:
            ledger.editing_definitions()
            storing.store(
                intent.file,
                intent.before,
                intent.whole,
                changed,
                {},
                author=author,
                today=applying.today_of(intent, moment),
                archive=False,
            )
    return bool(changed)
