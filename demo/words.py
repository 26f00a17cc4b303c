"""What the demo company's leaders have said: check-ins, actions, summaries and an explained signal.

words.yaml counts days from the quarter's first, so that a later load only adds what has been said since.
"""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from calc.calendar import Grain, add_months
from demo.truth import CALENDAR, Truth
from metrics.models import Disposition, Metric
from owners.models import Action, CheckIn, Leader, Summary

WORDS = Path(__file__).with_name("words.yaml")
EXPLAINED = ("refund_share", "sam")  # the metric with the planted week, and who says what it was


@transaction.atomic
def say(facts: Truth, today: date) -> int:
    """Stores what was said up to `today` and is not stored yet; returns how much. Edits of people stay."""
    words = yaml.safe_load(WORDS.read_text())
    leaders = {leader.key: leader for leader in Leader.objects.all()}
    return (
        _check_ins(words["check_ins"], leaders, facts, today)
        + _actions(words["actions"], leaders, facts, today)
        + _summaries(words["summaries"], leaders, facts)
        + _explanation(words["explanation"], leaders, facts)
    )


def _check_ins(said: list[dict[str, Any]], leaders: dict[str, Leader], facts: Truth, today: date) -> int:
    added = 0
    for words in said:
        moment = _at(facts, words["day"])
        if moment.date() > today:
            continue
        leader = leaders[words["leader"]]
        row, new = CheckIn.objects.get_or_create(
            metric_key=words["metric"],
            leader=leader,
            date=moment.date(),
            defaults={
                "text": words["text"],
                "confidence": words.get("confidence"),
                "next_step": words.get("next_step", ""),
                "help_needed": words.get("help_needed", ""),
                "author": leader.user,
            },
        )
        if new:
            # Said then, not at the moment of loading.
            CheckIn.objects.filter(pk=row.pk).update(created_at=moment)
            added += 1
    return added


def _actions(todos: list[dict[str, Any]], leaders: dict[str, Leader], facts: Truth, today: date) -> int:
    added = 0
    for todo in todos:
        due = facts.quarter_start + timedelta(days=todo["due"])
        written = _at(facts, todo["due"] - 14)
        if written.date() > today:
            continue
        row, new = Action.objects.get_or_create(
            text=todo["text"],
            leader=leaders[todo["leader"]],
            metric_key=todo["metric"],
            defaults={"due_date": due},
        )
        if new:
            Action.objects.filter(pk=row.pk).update(created_at=written)
            added += 1
        done = _at(facts, todo["done"]) if "done" in todo else None
        if done and done.date() <= today and row.done_at is None:
            row.done_at = done
            row.save(update_fields=["done_at"])
    return added


def _summaries(summaries: dict[str, dict[str, str]], leaders: dict[str, Leader], facts: Truth) -> int:
    now = CALENDAR.quarter_name(facts.quarter_start)
    before = CALENDAR.quarter_name(add_months(facts.quarter_start, -3))
    added = 0
    for key, words in summaries.items():
        leader = leaders[key]
        for quarter, text, needs in (
            (before, words["before"], ""),
            (now, words["now"], words.get("needs", "")),
        ):
            defaults = {"text": text, "needs": needs, "author": leader.user}
            _, new = Summary.objects.get_or_create(leader=leader, quarter=quarter, defaults=defaults)
            added += new
    return added


def _explanation(text: str, leaders: dict[str, Leader], facts: Truth) -> int:
    metric, who = EXPLAINED
    _, new = Disposition.objects.get_or_create(
        metric=Metric.objects.get(key=metric),
        grain=Grain.WEEK,
        period_start=facts.refund_spike[0],
        defaults={"text": text, "author": leaders[who].user, "leader_name": leaders[who].name},
    )
    return int(new)


def _at(facts: Truth, day: int) -> datetime:
    """Late in the morning, local time, `day` days after the quarter's first."""
    return datetime.combine(facts.quarter_start + timedelta(days=day), time(10, 40), tzinfo=CALENDAR.zone)
