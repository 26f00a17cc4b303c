"""`reconcile`: their figures beside ours. The expected differences are worked out by hand."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from metrics.models import Metric
from tests.metrics import making

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def orders() -> Metric:
    """March to August: 398, 402, (nothing in May), 410, unknown, 420; and by city in March."""
    making.installation()
    made = making.metric("orders", by=["city"])
    for month, value in {3: 398.0, 4: 402.0, 6: 410.0, 7: None, 8: 420.0}.items():
        making.month(made, 2026, month, value)
    for city, value in (("Leeds", 300.0), ("York", 98.0)):
        making.month(made, 2026, 3, value, dimension="city", member=city)
    return made


def run(tmp_path: Path, text: str, *words: str, key: str = "orders") -> str:
    file = tmp_path / "theirs.csv"
    file.write_text(text)
    out = StringIO()
    call_command("reconcile", key, str(file), *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def lines(tmp_path: Path, text: str, *words: str, key: str = "orders") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(tmp_path, text, "--format", "json", *words, key=key))
    return found


def test_period_theirs_ours_difference(tmp_path: Path) -> None:
    text = "period_start,value\n2026-03-01,412\n2026-04-01,402\n2026-05-01,7\n2026-07-01,9\n"
    assert lines(tmp_path, text) == [
        {"period": "2026-03-01", "theirs": 412, "ours": 398, "difference": -14},
        {"period": "2026-04-01", "theirs": 402, "ours": 402, "difference": 0},
        {"period": "2026-05-01", "theirs": 7, "ours": None, "difference": None},
        {"period": "2026-06-01", "theirs": None, "ours": 410, "difference": None},
        {"period": "2026-07-01", "theirs": 9, "ours": None, "difference": None},
    ]  # August lies beyond their last


def test_csv_and_table(tmp_path: Path) -> None:
    text = "Period_Start;Value\n2026-03-01;397.5\n"
    assert run(tmp_path, text, "--format", "csv") == (
        "period,theirs,ours,difference\n2026-03-01,397.5,398,0.5\n"
    )
    (head, line) = run(tmp_path, text).splitlines()
    assert head.split() == ["period", "theirs", "ours", "difference"]
    assert line.split() == ["2026-03-01", "397.5", "398", "0.5"]


def test_noise_of_binary_fractions_is_no_difference(tmp_path: Path, orders: Metric) -> None:
    share = making.metric("on_time", making.SHARE, "ratio", unit="percent")
    making.month(share, 2026, 3, 0.1 + 0.2)
    making.month(share, 2026, 4, 0.3 + 1e-9)
    text = "period_start,numerator,denominator\n2026-03-01,3,10\n2026-04-01,3,10\n2026-05-01,0,0\n"
    march, april, may = lines(tmp_path, text, key="on_time")
    assert march["difference"] == 0
    assert april["difference"] == pytest.approx(1e-9, rel=1e-5)
    assert may == {"period": "2026-05-01", "theirs": None, "ours": None, "difference": None}


def test_members_of_a_dimension(tmp_path: Path) -> None:
    text = "period_start,value,dimension,member\n2026-03-01,290,city,Leeds\n2026-03-01,400,,\n"
    assert lines(tmp_path, text) == [
        {
            "period": "2026-03-01",
            "dimension": "",
            "member": "",
            "theirs": 400,
            "ours": 398,
            "difference": -2,
        },
        {
            "period": "2026-03-01",
            "dimension": "city",
            "member": "Leeds",
            "theirs": 290,
            "ours": 300,
            "difference": 10,
        },
    ]


def test_the_grain_is_the_month_or_that_of_manual_entries(tmp_path: Path) -> None:
    weekly = making.manual("calls", grain="week")
    making.figure(weekly, "week", date(2026, 3, 2), date(2026, 3, 9), 12.0)
    (line,) = lines(tmp_path, "period_start,value\n2026-03-02,10\n", key="calls")
    assert line["difference"] == 2
    making.figure(Metric.objects.get(key="orders"), "quarter", date(2026, 4, 1), date(2026, 7, 1), 812.0)
    (line,) = lines(tmp_path, "period_start,value\n2026-04-01,800\n", "--grain", "quarter")
    assert line["difference"] == 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("period_start,value\n", "holds no figure"),
        ("period_start,amount\n2026-03-01,1\n", "'amount' is unknown"),
        ("value\n1\n", "'period_start' is missing"),
        ("period_start,value\n2026-03-02,1\n", "line 2, period_start: 2026-03-02 opens no month"),
        ("period_start,value\n03/01/2026,1\n", "is not a date"),
        ("period_start,value\n,1\n", "the cell is empty"),
        ("period_start,value\n2026-03-01,\n", "line 2, value: give a value"),
        ('period_start,value\n2026-03-01,"1,000"\n', "without thousands separators"),
        ("period_start,value\n2026-03-01,nan\n", "is not a number"),
        ("period_start,value\n2026-03-01,1,2\n", "3 cells instead of 2"),
        ("period_start,value\n2026-03-01,1\n2026-03-01,1\n", "line 3, period_start: 2026-03-01 stands"),
        ("period_start,value,dimension,member\n2026-03-01,1,plan,Pro\n", "its dimensions: city"),
        ("period_start,value,dimension,member\n2026-03-01,1,city,\n", "go together"),
    ],
)
def test_mistakes_are_refused_with_their_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CommandError, match=words) as refused:
        run(tmp_path, text)
    assert refused.value.returncode == 2


def test_an_unknown_metric_or_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no metric 'order'") as refused:
        run(tmp_path, "period_start,value\n2026-03-01,1\n", key="order")
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="No such file") as refused:
        call_command("reconcile", "orders", str(tmp_path / "none.csv"))
    assert refused.value.returncode == 2
