"""Held figures that somebody has accepted become decisions; the list of the state holds what waits."""

from datetime import date, datetime
from typing import Any

from django.db import migrations


def to_decisions(apps: Any, schema_editor: Any) -> None:
    decision = apps.get_model("metrics", "HeldDecision")
    for state in apps.get_model("metrics", "MetricState").objects.exclude(held=[]):
        accepted = [entry for entry in state.held if entry.get("accepted")]
        for entry in accepted:
            decision.objects.get_or_create(
                metric_id=state.metric_id,
                grain=entry["grain"],
                period_start=date.fromisoformat(entry["period_start"]),
                period_end=date.fromisoformat(entry["period_end"]),
                value=entry["value"],
                ended_at=None,
                defaults={
                    "check_words": entry["reason"][:300],
                    "outcome": "released",
                    "reason": f"Checked by {entry['accepted']['by']}.",
                    "decided_at": datetime.fromisoformat(entry["accepted"]["at"]),
                },
            )
        if accepted:
            state.held = [entry for entry in state.held if not entry.get("accepted")]
            state.save(update_fields=["held"])


class Migration(migrations.Migration):
    dependencies = [("metrics", "0006_disputes_and_held")]

    operations = [migrations.RunPython(to_decisions, migrations.RunPython.noop)]
