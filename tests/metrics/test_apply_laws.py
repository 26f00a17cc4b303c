"""Taking in what was dumped changes nothing, whatever people have written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calc.calendar import Calendar
from calc.plan import months_of
from metrics.definitions.file import Definitions, read_definitions
from metrics.definitions.metric import MetricText
from metrics.definitions.mistakes import Report
from metrics.definitions.promises import OwnerRow
from metrics.definitions.writing import write
from metrics.queries.dump import dump
from metrics.services.apply import apply
from tests.metrics.files import state
from tests.metrics.test_definitions_roundtrip import days, keys, quarters, texts

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
levels = st.floats(-1e6, 1e6)


@st.composite
def sound_files(draw: st.DrawFn) -> Definitions:
    """Definitions that hold together: leaders, and levels that they count and own."""
    leaders = draw(st.dictionaries(keys, st.fixed_dictionaries({"name": texts}), min_size=1, max_size=3))
    people = st.sampled_from(sorted(leaders))
    metrics = {}
    for key in draw(st.lists(keys, min_size=1, max_size=4, unique=True)):
        fields = {"name": draw(texts), "type": "manual", "spec": {"kind": "level", "grain": "month"}}
        if draw(st.booleans()):
            fields["spec"] = {**fields["spec"], "collect": {"by": draw(people)}}  # type: ignore[dict-item]
        if draw(st.booleans()):
            fields["definition"] = draw(texts)
        targets = {}
        for quarter in sorted(draw(st.lists(quarters, max_size=2, unique=True))):
            months = [f"{month.start:%Y-%m}" for month in months_of(Calendar().quarter(quarter))]
            benchmarks = draw(st.dictionaries(st.sampled_from(months), levels, max_size=3))
            targets[quarter] = {"value": draw(levels)}
            if benchmarks:
                targets[quarter]["benchmarks"] = dict(sorted(benchmarks.items()))  # type: ignore[assignment]
        starts = sorted(draw(st.lists(days, max_size=3, unique=True)))
        owners = [OwnerRow(draw(people | st.just("")), day, draw(texts | st.just(""))) for day in starts]
        metrics[key] = MetricText(fields=fields, owners=owners or None, targets=targets or None)
    return Definitions(leaders=leaders, metrics=metrics)


@pytest.mark.django_db
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(sound_files(), sound_files())
def test_a_dump_taken_in_changes_nothing(first: Definitions, second: Definitions) -> None:
    with transaction.atomic():
        apply(write(first), now=NOW)
        dumped = dump()
        assert not apply(dumped, now=NOW).changes
        # Over something else, archived things among it, and back again.
        second.leaders = {**(second.leaders or {}), **(first.leaders or {})}
        apply(write(second), archive=True, now=NOW)
        after = dump()
        assert not apply(after, now=NOW).changes
        apply(write(first), archive=True, now=NOW)
        once = state()
        assert not apply(write(first), archive=True, now=NOW).changes
        assert state() == once
        transaction.set_rollback(True)


def test_the_files_of_the_documentation_are_sound() -> None:
    text = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text()
    blocks = [block.partition("```")[0] for block in text.split("```yaml\n")[1:]]
    assert blocks
    for block in blocks:
        report = Report()
        found = read_definitions(block, report)
        assert report.mistakes == []
        assert set(yaml.safe_load(block)) == {name for name in vars(found) if getattr(found, name)}
