"""What is written out reads back as the same, for the examples and for random definitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from metrics.definitions.file import Definitions, read_definitions
from metrics.definitions.metric import MetricText
from metrics.definitions.mistakes import Report
from metrics.definitions.promises import OwnerRow
from metrics.definitions.quantities import parse_growth, parse_number, parse_span
from metrics.definitions.writing import write
from tests.metrics.files import file

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/definitions.yaml"))


def read(text: str) -> Definitions:
    report = Report()
    found = read_definitions(text, report)
    report.raise_any()
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_come_out_as_they_went_in(path: Path) -> None:
    found = read(path.read_text())
    assert read(write(found)) == found


@pytest.mark.parametrize(("said", "kept"), [("null", "null"), ("'null'", "null"), ("zero", "zero"), ("", "")])
def test_fill_null_is_a_word_in_quotes_or_not(said: str, kept: str) -> None:
    """Unquoted it must not fall back on the aggregation's own default, which fills days with 0."""
    text = f"""
warehouses: {{w: {{engine: duckdb, path: w.duckdb}}}}
sources: {{s: {{warehouse: w, table: t, time: at}}}}
metrics: {{m: {{name: M, type: simple, measure: {{source: s, agg: sum, expr: x, fill: {said}}}}}}}
"""
    found = read(text)
    assert found.metrics
    assert found.metrics["m"].fields["spec"]["measure"].get("fill", "") == kept
    assert read(write(found)) == found


def test_the_file_of_the_tests_comes_out_as_it_went_in() -> None:
    found = read(file())
    assert read(write(found)) == found


keys = st.from_regex(r"\A[a-z][a-z0-9]{0,8}(_[a-z0-9]{1,5}){0,2}\Z")
# What a person may type: any script, quotes, colons, words that YAML would take for something else.
texts = (
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf")), min_size=1, max_size=60)
    | st.sampled_from(["yes", "NO", "null", "~", "1e3", "0x1F", "10:30", "2011-07", "- a", "a: b", "#x", "'"])
).map(str.strip).filter(bool).map(lambda text: normalize("NFC", text))  # fmt: skip
numbers = st.floats(allow_nan=False, allow_infinity=False, width=64).filter(
    lambda n: n == 0 or abs(n) > 1e-300
)
days = st.dates().map(lambda day: day.isoformat()).filter(lambda day: day >= "1000")
quarters = st.builds("{:04}-Q{}".format, st.integers(1900, 2100), st.integers(1, 4))
months = st.builds("{:04}-{:02}".format, st.integers(1900, 2100), st.integers(1, 12))
targets = st.fixed_dictionaries(
    {"value": numbers},
    optional={
        "baseline": numbers,
        "benchmarks": st.dictionaries(months, numbers, min_size=1, max_size=3).map(
            lambda d: dict(sorted(d.items()))
        ),
    },
)


@st.composite
def metric_texts(draw: st.DrawFn) -> MetricText:
    fields: dict[str, Any] = {"name": draw(texts), "type": "manual"}
    fields["spec"] = {"kind": draw(st.sampled_from(["amount", "level", "share"])), "grain": "month"}
    for name in ("definition", "success", "segment"):
        if draw(st.booleans()):
            fields[name] = draw(texts)
    if draw(st.booleans()):
        low, high = sorted(draw(st.lists(numbers, min_size=2, max_size=2, unique=True)))
        fields |= {"better": "band", "low": low, "high": high}
    if by := draw(st.lists(keys, max_size=3, unique=True)):
        fields["by"] = by
    owners = [
        OwnerRow(draw(keys | st.just("")), day, draw(texts | st.just("")))
        for day in sorted(draw(st.lists(days, max_size=3, unique=True)))
    ]
    return MetricText(
        fields=fields,
        owners=owners or None,
        targets=dict(sorted(draw(st.dictionaries(quarters, targets, max_size=3)).items())) or None,
    )


countries, zones = st.sampled_from(["GB", "DE-BY"]), st.sampled_from(["Europe/Berlin", "Asia/Kolkata"])


@st.composite
def files(draw: st.DrawFn) -> Definitions:
    leaders = draw(
        st.dictionaries(
            keys,
            st.fixed_dictionaries(
                {"name": texts}, optional={"title": texts, "country": countries, "timezone": zones}
            ),
            max_size=3,
        )
    )
    warehouses = draw(
        st.dictionaries(
            keys,
            st.fixed_dictionaries(
                {"engine": st.just("duckdb"), "path": texts.filter(lambda t: "${" not in t)}
            ),
            max_size=2,
        )
    )
    return Definitions(
        revision=draw(st.just("") | texts),
        warehouses=warehouses,
        leaders=leaders,
        metrics=draw(st.dictionaries(keys, metric_texts(), max_size=3)),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files())
@example(Definitions(leaders={"a": {"name": "null"}}, warehouses={}, metrics={}))
def test_random_definitions_come_out_as_they_went_in(definitions: Definitions) -> None:
    assert read(write(definitions)) == definitions


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200) | st.text("abc:{}[]-\n \"'#&*!|>%@`,?", max_size=80))
def test_no_text_brings_the_reading_down(text: str) -> None:
    read_definitions(text, Report())
    read_definitions(f"metrics: {text}", Report())
    read_definitions(f"metrics:\n  a: {{name: {text}, type: simple}}", Report())


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("72 %", 0.72),
        ("72%", 0.72),
        ("0.72", 0.72),
        ("9.3%", 0.093),
        ("-4", -4.0),
        ("1e3", 1000.0),
        (".5", 0.5),
    ],
)
def test_numbers_and_percentages(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "4x", "1,234", "1.234,5", "nan", "inf", "1e999", "٣", "0x10", "1_000", "--1"]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError):
        parse_number(text)


def test_growth() -> None:
    assert parse_growth("10%").of(200) == pytest.approx(220)
    assert parse_growth("-10 %").of(200) == pytest.approx(180)
    assert parse_growth("2 points").of(0.5) == pytest.approx(0.52)
    assert parse_growth("10% relative").of(0.5) == pytest.approx(0.55)
    assert parse_growth("hold").of(0.5) == 0.5
    for text in ("10", "ten%", "2 pints", "% 10"):
        with pytest.raises(ValueError):
            parse_growth(text)


def test_spans() -> None:
    assert parse_span("3 days").as_timedelta().days == 3
    assert parse_span("4 weeks").as_within().days == 28
    assert parse_span("1 quarter").as_within().months == 3
    for text in ("3", "days", "-3 days", "3 fortnights", "3.5 days"):
        with pytest.raises(ValueError):
            parse_span(text)
