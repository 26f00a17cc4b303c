"""`import`: a file of figures, all or nothing, each mistake with its line."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from metrics.definitions.mistakes import DefinitionsError
from metrics.models import Entry, Value
from metrics.queries.recorded import events
from metrics.services.apply import apply
from metrics.services.imports import import_csv
from tests.metrics.test_entries import FILE, NOW

TODAY = NOW.date()
GOOD = """metric,period_start,value,numerator,denominator
nps,2026-01-01,40,,
nps,2026-02-01,42.5,,
plans,2026-01-01,,18,25
calls,2026-01-05,12,,
"""
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def definitions() -> None:
    apply(FILE, now=NOW)


def entered() -> list[tuple[object, ...]]:
    fields = ("metric__key", "period_start", "value", "numerator", "denominator", "dimension", "member")
    return list(Entry.objects.order_by("metric__key", "period_start", "member").values_list(*fields))


def test_a_file_is_entered_and_a_repeat_changes_nothing() -> None:
    outcome = import_csv(GOOD, today=TODAY)
    assert {key: found.added for key, found in outcome.items()} == {"calls": 1, "nps": 2, "plans": 1}
    assert entered() == [
        ("calls", date(2026, 1, 5), 12, None, None, "", ""),
        ("nps", date(2026, 1, 1), 40, None, None, "", ""),
        ("nps", date(2026, 2, 1), 42.5, None, None, "", ""),
        ("plans", date(2026, 1, 1), None, 18, 25, "", ""),
    ]
    assert Value.objects.get(metric__key="plans", grain="month").value == pytest.approx(0.72)
    before = events(Entry).objects.count()
    assert all(found.writes == 0 for found in import_csv(GOOD, today=TODAY).values())
    assert events(Entry).objects.count() == before


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffmetric,period_start,value\r\nnps,2026-01-01,40\r\n",
        "Metric; Period_Start; Value\nnps;2026-01-01;40",
        "metric\tperiod_start\tvalue\nnps\t2026-01-01\t40\n\n",
        'metric,period_start,value,note\nnps,2026-01-01,"40","a, b"\n',
        "value,metric,period_start\n 40 , nps , 2026-01-01 \n",
    ],
    ids=range(5),
)
def test_files_as_spreadsheets_write_them(text: str) -> None:
    import_csv(text, today=TODAY)
    assert entered() == [("nps", date(2026, 1, 1), 40, None, None, "", "")]


def test_members_of_a_dimension() -> None:
    import_csv(
        "metric,period_start,value,dimension,member\ncalls,2026-01-05,4,team,North\ncalls,2026-01-05,9,,\n",
        today=TODAY,
    )
    assert [row[2:] for row in entered()] == [(9, None, None, "", ""), (4, None, None, "team", "North")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nps,2026-01-01,", "line 3, nps: the value is missing"),
        ("nps,2026-01-01,forty", "line 3, value: 'forty' is not a number"),
        ('nps,2026-01-01,"1,234"', "thousands"),
        ("nps,2026-01-01,nan", "line 3, value: 'nan' is not a number"),
        ("nps,2026-01-02,1", "line 3, nps: 2026-01-02 opens no month"),
        ("nps,2026-04-01,1", "future"),
        ("nps,2026-13-01,1", "there is no day"),
        ("nps,1/2/2026,1", "is not a date"),
        ("nps,,1", "line 3, period_start: the cell is empty"),
        (",2026-01-01,1", "line 3, metric: the cell is empty"),
        ("nsp,2026-01-01,1", "line 3, metric: there is no metric 'nsp'; did you mean 'nps'?"),
        ("twice,2026-01-01,1", "'twice' is computed"),
        ("plans,2026-01-01,1", "two numbers"),
        ("nps,2026-02-01,41", "second time"),
        ("nps,2026-01-01", "line 3: 2 cells instead of 3"),
        ('nps,2026-01-01,"4', "not a CSV file"),
        ("nps,2026-01-01,\x00", "NUL"),
    ],
    ids=range(17),
)
def test_one_bad_line_and_nothing_is_entered(line: str, words: str) -> None:
    with pytest.raises(DefinitionsError) as refused:
        import_csv(f"metric,period_start,value\nnps,2026-02-01,40\n{line}\n", today=TODAY)
    assert words in str(refused.value)
    assert not Entry.objects.exists() and not Value.objects.exists()


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("metric,period_start", "the column 'value' is missing"),
        ("metric,value", "the column 'period_start' is missing"),
        ("metric,period_start,valeu", "did you mean 'value'"),
        ("metric,period_start,value,value", "twice"),
        ("", "empty"),
    ],
)
def test_columns_are_checked_first(head: str, words: str) -> None:
    with pytest.raises(DefinitionsError, match=words):
        import_csv(f"{head}\nnps,2026-01-01,1\n" if head else "", today=TODAY)


def test_all_bad_lines_are_named() -> None:
    text = "metric,period_start,value\nnps,2026-01-01,x\nnps,2026-01-05,1\nplans,2026-01-01,1\n"
    with pytest.raises(DefinitionsError) as refused:
        import_csv(text, today=TODAY)
    assert [mistake.line for mistake in refused.value.mistakes] == [2, 3, 4]


def test_a_dry_run_counts_and_enters_nothing() -> None:
    assert import_csv(GOOD, today=TODAY, dry_run=True)["nps"].added == 2
    assert not Entry.objects.exists() and not Value.objects.exists()


def test_delete_takes_the_listed_figures_away() -> None:
    import_csv(GOOD, today=TODAY)
    outcome = import_csv("metric,period_start\nnps,2026-02-01\nplans,2026-01-01\n", today=TODAY, delete=True)
    assert {key: found.removed for key, found in outcome.items()} == {"nps": 1, "plans": 1}
    assert [row[:2] for row in entered()] == [("calls", date(2026, 1, 5)), ("nps", date(2026, 1, 1))]
    assert Value.objects.filter(metric__key="plans", value__isnull=False).count() == 0


def test_the_command_prints_and_returns_as_agreed(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("metric,period_start,value\nnps,2011-01-01,40\n")
    bad.write_bytes(b"metric,period_start,value\nnps,2011-01-01,\xff\n")
    out = StringIO()
    call_command("import", str(good), stdout=out)
    assert out.getvalue() == "nps: 1 new, 0 changed, 0 removed, 0 unchanged\n"
    with pytest.raises(CommandError, match="line 2: the file is not UTF-8") as refused:
        call_command("import", str(bad))
    assert refused.value.returncode == 2
