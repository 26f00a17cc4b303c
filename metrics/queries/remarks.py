"""What people have said beside computed statuses: the owners' own calls, accepted deviations and doubts.

Read for many metrics at once, chosen by the day that a page shows. Nothing here changes a computed status.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from calc.calendar import Calendar, Period
from calc.status import State
from metrics.models import Dispute, HeldDecision
from metrics.queries.recorded import rows
from metrics.queries.shapes import Acceptance, Asking, Call, Doubt, Ingredient, Rejection
from owners.models import Deviation, StatusCall

_CALL = ("metric_key", "leader__key", "status", "reason", "until_date", "made_at", "withdrawn_at")
_DEVIATION = ("metric_key", "shortfall", "reason", "until_date", "asked_at", "accepted_at", "ended_at")

_FIGURE = ("metric__key", "grain", "period_start", "period_end")
_DOUBT = (*_FIGURE, "dimension", "member", "figure", "text", "raised_at")
_REJECTION = (*_FIGURE, "value", "reason", "decided_at")


@dataclass(frozen=True)
class _Said:
    """One row: what it says, for whom, and the local days on which it holds; `end` is exclusive."""

    what: Call | Acceptance | Asking
    leader: str
    start: date
    end: date | None

    def on(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True)
class Remarks:
    """All that was said beside one metric's status in one quarter, the newest first."""

    said: tuple[_Said, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    rejections: tuple[Rejection, ...] = ()

    def by(self, day: date) -> "Remarks":
        """Without the doubts that were raised after `day`."""
        return replace(
            self,
            doubts=tuple(d for d in self.doubts if d.raised_date <= day),
            ingredients=tuple(i for i in self.ingredients if not i.raised_date or i.raised_date <= day),
        )

    def call(self, day: date, owner: str | None) -> Call | None:
        """The call in force on `day`, if who made it owns the metric then (`owner`: their key)."""
        for one in self.said:
            if isinstance(one.what, Call) and one.leader == owner and one.on(day):
                return one.what if one.what.until_date >= day else None
        return None

    def accepted(self, day: date) -> Acceptance | None:
        """The deviation accepted on `day`."""
        for one in self.said:
            if isinstance(one.what, Acceptance) and one.on(day):
                return one.what if one.what.until_date >= day else None
        return None

    def asking(self, day: date) -> Asking | None:
        """The deviation that the owner asks for and nobody has answered."""
        for one in self.said:
            if isinstance(one.what, Asking) and one.on(day):
                return one.what if one.what.until_date >= day else None
        return None


NONE = Remarks()


def load(
    keys: Iterable[str], quarter: str, cal: Calendar, known_at: datetime | None = None
) -> Mapping[str, Remarks]:
    """What was said of these metrics in a quarter, but for doubts about their figures, as recorded now or at
    an instant. Three SQL statements."""
    chosen: dict[str, Any] = {"metric_key__in": list(keys), "quarter": quarter}
    found: dict[str, list[_Said]] = {}
    for row in _newest(rows(StatusCall, (*_CALL, *_names("author")), known_at, **chosen)):
        call = Call(
            State(row["status"]),
            row["reason"],
            _name(row, "author"),
            cal.day_of(row["made_at"]),
            row["until_date"],
        )
        found.setdefault(row["metric_key"], []).append(
            _Said(call, row["leader__key"], call.made_date, _day(cal, row["withdrawn_at"]))
        )
    people = (*_names("asked_by"), *_names("accepted_by"))
    for row in _newest(rows(Deviation, (*_DEVIATION, *people), known_at, **chosen)):
        told = (row["shortfall"], row["reason"], row["until_date"])
        end, asked, accepted = (_day(cal, row[n]) for n in ("ended_at", "asked_at", "accepted_at"))
        here = found.setdefault(row["metric_key"], [])
        if accepted:
            here.append(_Said(Acceptance(*told, _name(row, "accepted_by"), accepted), "", accepted, end))
        if asked and not (accepted and asked == accepted):
            ends = min((d for d in (accepted, end) if d), default=None)
            here.append(_Said(Asking(*told, _name(row, "asked_by"), asked), "", asked, ends))
    inside = {"metric__key__in": chosen["metric_key__in"], **_overlapping(cal.quarter(quarter))}
    wrong: dict[str, list[Rejection]] = {}
    rejected = {"outcome": HeldDecision.Outcome.REJECTED, "ended_at": None, **inside}
    for row in _newest(rows(HeldDecision, (*_REJECTION, *_names("author")), known_at, **rejected)):
        wrong.setdefault(row["metric__key"], []).append(
            Rejection(
                row["grain"],
                row["period_start"],
                row["period_end"],
                row["value"],
                row["reason"],
                _name(row, "author"),
                cal.day_of(row["decided_at"]),
            )
        )
    return {
        key: Remarks(tuple(found.get(key, ())), rejections=tuple(wrong.get(key, ())))
        for key in {*found, *wrong}
    }


def open_doubts(cal: Calendar, known_at: datetime | None = None) -> Mapping[str, tuple[Doubt, ...]]:
    """Every open dispute by its metric's key, the newest first, as recorded now or at an instant. One SQL
    statement."""
    found: dict[str, list[Doubt]] = {}
    for row in _newest(rows(Dispute, (*_DOUBT, *_names("author")), known_at, state="open")):
        found.setdefault(row["metric__key"], []).append(_doubt(row, cal))
    return {key: tuple(each) for key, each in found.items()}


def _overlapping(period: Period) -> dict[str, date]:
    return {"period_start__lt": period.end, "period_end__gt": period.start}


def _doubt(row: Mapping[str, Any], cal: Calendar) -> Doubt:
    return Doubt(
        row["id"],
        row["grain"],
        row["period_start"],
        row["period_end"],
        row["dimension"],
        row["member"],
        row["figure"],
        row["text"],
        _name(row, "author"),
        cal.day_of(row["raised_at"]),
    )


def _newest(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda row: row["id"], reverse=True)


def _names(column: str) -> tuple[str, str]:
    return f"{column}__name", f"{column}__email"


def _name(row: Mapping[str, Any], column: str) -> str:
    return row[f"{column}__name"] or row[f"{column}__email"] or ""


def _day(cal: Calendar, moment: datetime | None) -> date | None:
    return cal.day_of(moment) if moment else None
