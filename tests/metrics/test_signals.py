"""The `signals` command on stored figures, against the published case of Wheeler's software data."""

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.metrics import making
from tests.shared import cases

pytestmark = pytest.mark.django_db


def test_limits_and_rules_of_a_published_case():
    case = next(c for c in cases("xmr")["limit_cases"] if c["id"] == "xmr/wheeler_verify_software")
    made = making.metric("size", {"measure": {"source": "s", "agg": "avg", "expr": "x"}}, unit="score")
    for n, value in enumerate(case["values"]):
        start = date(2011, 1, 3) + timedelta(days=7 * n)
        making.figure(made, "week", start, start + timedelta(days=7), value)
    making.figure(made, "week", date(2012, 1, 2), date(2012, 1, 9), 99999, status="provisional")
    out = StringIO()
    call_command("signals", "size", "--grain", "week", "--format", "json", stdout=out)
    found = json.loads(out.getvalue())
    expected = case["expected"]
    for ours, theirs in (
        ("centre", "centre"),
        ("average_moving_range", "mr_centre"),
        ("upper", "unpl"),
        ("lower", "lnpl"),
        ("upper_range", "url"),
    ):
        assert found[ours] == pytest.approx(expected[theirs]["value"], abs=expected[theirs]["tol"])
    assert [p["value"] for p in found["points"]] == case["values"]  # the provisional one is not judged
    upper = expected["unpl"]["value"]
    beyond = [p["value"] for p in found["points"] if "beyond_limit" in p["rules"]]
    assert all(v > upper or v < expected["lnpl"]["value"] for v in beyond)
    assert 5200 in beyond


def test_it_refuses_what_is_not_there():
    for bad in (["nothing", "--grain", "week"],):
        with pytest.raises(CommandError) as refused:
            call_command("signals", *bad)
        assert refused.value.returncode == 2
