"""Targets that are agreed already: the baseline that was stated when they were, as their history has it."""

from typing import Any

from django.db import migrations


def from_history(apps: Any, schema_editor: Any) -> None:
    event = apps.get_model("metrics", "TargetEvent")
    for target in apps.get_model("metrics", "Target").objects.exclude(agreed_at=None):
        # The first row of the agreement that stands: a target may have been agreed more than once.
        of_target = event.objects.filter(pgh_obj_id=target.pk, agreed_at=target.agreed_at)
        agreed = of_target.order_by("pgh_id").first()
        baseline = agreed.baseline if agreed else target.baseline
        if baseline is not None:
            target.agreed_baseline = baseline
            target.save(update_fields=["agreed_baseline"])


class Migration(migrations.Migration):
    dependencies = [("metrics", "0010_agreed_baseline")]

    operations = [migrations.RunPython(from_history, migrations.RunPython.noop)]
