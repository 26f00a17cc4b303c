"""Versions of metrics: written when, and only when, the way of computing has changed."""

from collections.abc import Collection, Mapping
from datetime import date

from metrics.definitions.file import Definitions
from metrics.definitions.fingerprints import computations, fingerprints
from metrics.models import Metric, MetricVersion
from owners.models import User


def renew(
    rows: Mapping[str, Metric], whole: Definitions, texts: Collection[str], *, author: User | None
) -> dict[str, date | None]:
    """Gives each metric of `rows` whose computation differs from its last version a new one.

    texts: keys of the metrics in the file, whose `reason` and `effective` speak about this change. Returns
    the keys with a new version -> the day from which it holds (None: all history). A dependent holds from
    where its operands do, if they all say a day.
    """
    prints, said = fingerprints(whole), computations(whole)
    last = {
        version.metric_id: version
        for version in MetricVersion.objects.filter(metric__in=[row.pk for row in rows.values()])
        .order_by("metric_id", "-number")
        .distinct("metric_id")
    }
    changed = [
        key
        for key, row in rows.items()
        if key in prints and (row.pk not in last or last[row.pk].fingerprint != prints[key])
    ]
    effective: dict[str, date | None] = {}
    for key in changed:
        effective[key] = _effective(key, whole, texts, set(changed))
    new, raised = [], []
    for key in changed:
        row = rows[key]
        number = last[row.pk].number + 1 if row.pk in last else row.version
        text = (whole.metrics or {}).get(key.partition("__")[0])
        new.append(
            MetricVersion(
                metric=row,
                number=number,
                fingerprint=prints[key],
                spec={**said[key], "by": list(row.by)},
                reason=text.reason if text and key.partition("__")[0] in texts else "",
                effective_date=effective[key] if row.pk in last else None,
                author=author,
            )
        )
        if row.version != number:
            row.version = number
            raised.append(row)
    MetricVersion.objects.bulk_create(new)
    for row in raised:
        row.save(update_fields=["version"])
    return {key: effective[key] if rows[key].pk in last else None for key in changed}


def _effective(key: str, whole: Definitions, texts: Collection[str], changed: set[str]) -> date | None:
    """The day that the file states for this change; for a dependent the latest of its changed operands' days,
    None (all history) if any of them has none."""
    own = key.partition("__")[0]
    text = (whole.metrics or {}).get(own)
    if own in texts and text and text.effective:
        return date.fromisoformat(text.effective)
    from metrics.definitions.checks import operands

    operand_keys = [operand for _, operand in operands(text.fields.get("spec", {}))] if text else []
    days = [_effective(operand, whole, texts, changed) for operand in operand_keys if operand in changed]
    known = [day for day in days if day is not None]
    return min(known) if known and len(known) == len(days) else None
