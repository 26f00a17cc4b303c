"""What people are told of what others give them: a metric to answer for, somebody to stand in for, an action.

Nobody is told of what they do themself, and nobody without an account: they could open none of it.
"""

import uuid
from collections.abc import Sequence
from datetime import date

from django.urls import reverse

from owners.guide import guide
from owners.models import Action, Leader, Leave, Ownership, User
from owners.services.outbox import notify


def handed_over(rows: Sequence[Ownership], giver: Leader | None, author: User | None) -> None:
    """Tells who takes over and who gives. `rows`: what changes hands, all to one taker with one note."""
    if author is None or not rows:
        return
    taker, note = rows[0].leader, rows[0].note
    if taker is not None and giver is not None and taker.pk == giver.pk:
        return
    keys = {row.metric_key for row in rows}
    names = guide().names(keys)
    path = reverse("metric", args=[rows[0].metric_key]) if len(rows) == 1 else reverse("leaders")
    lines = [f"{_part(row, names)}, from {_day(row.from_date)}" for row in rows]
    what = lines[0] if len(lines) == 1 else f"{len(lines)} metrics and members"
    listed = "" if len(lines) == 1 else "\n\n" + "\n".join(f"- {line}" for line in lines)
    if taker is not None and _hears(taker, author):
        before = f" after {giver.name}" if giver is not None else ""
        said = f"\n\n{note}" if note else ""
        notify(
            taker,
            "handover",
            _key("handover", rows[0].pk, taker),
            f"You answer for {what}",
            f"{author} names you as the owner{before}.{listed}{said}\n\nWhat was said last, and the actions "
            "that stand open, are on the page.",
            path,
            about=keys,
        )
    if giver is not None and _hears(giver, author):
        whose = taker.name if taker is not None else "nobody yet" if not rows[0].is_returned else "its owner"
        notify(
            giver,
            "handover",
            _key("handover", rows[0].pk, giver),
            f"You hand over {what}",
            f"{author} has entered it. It goes to {whose}.{listed}\n\n"
            "What you said and did stays with your name.",
            path,
            about=keys,
        )


def taken_back(row: Ownership, author: User | None) -> None:
    """Tells who was to take over that it stays as it is."""
    if author is None or row.leader is None or not _hears(row.leader, author):
        return
    what = _part(row, guide().names({row.metric_key}))
    notify(
        row.leader,
        "handover",
        _key("handover", row.pk, row.leader),
        f"You do not take over {what}",
        f"{author} has taken the hand-over of {_day(row.from_date)} back.",
        reverse("metric", args=[row.metric_key]),
        about=[row.metric_key],
    )


def stands_in(leave: Leave, before: Leader | None, author: User | None) -> None:
    """Tells the delegate of a leave that is planned or changed, and one who was replaced."""
    if author is None:
        return
    days = f"from {_day(leave.from_date)} to {_day(leave.until_date)}"
    if leave.delegate is not None and _hears(leave.delegate, author):
        notify(
            leave.delegate,
            "leave",
            _key("leave", leave.pk, leave.delegate),
            f"You stand in for {leave.leader.name} {days}",
            f"Their check-ins and figures stand on your page meanwhile; they answer for them still."
            f"{f'{chr(10)}{chr(10)}{leave.note}' if leave.note else ''}",
            reverse("me"),
        )
    if before is not None and before != leave.delegate:
        stands_in_no_more(leave, before, author)


def stands_in_no_more(leave: Leave, delegate: Leader | None, author: User | None) -> None:
    """Tells a delegate that they need not."""
    if author is None or delegate is None or not _hears(delegate, author):
        return
    notify(
        delegate,
        "leave",
        _key("leave", leave.pk, delegate),
        f"You no longer stand in for {leave.leader.name}",
        f"{author} has changed the leave from {_day(leave.from_date)} to {_day(leave.until_date)}.",
        reverse("me"),
    )


def given(action: Action, author: User | None) -> None:
    """Tells who is to do it."""
    if author is None or action.leader is None or not _hears(action.leader, author):
        return
    key = action.metric_key
    about = f"\nAbout: {guide().names({key}).get(key, key)}" if key else ""
    due = f"\nBy: {_day(action.due_date)}" if action.due_date else ""
    notify(
        action.leader,
        "action",
        _key("action", action.pk, action.leader),
        f"An action for you: {action.text}",
        f"{author} asks you to do this:\n\n{action.text}{due}{about}",
        reverse("me"),
        about=[key] if key else (),
    )


def _hears(person: Leader, author: User) -> bool:
    return person.user is not None and person.user.is_active and person.user.pk != author.pk


def _part(row: Ownership, names: dict[str, str]) -> str:
    name = names.get(row.metric_key, row.metric_key)
    return f"{row.member or '(none)'} of {name}" if row.dimension else name


def _key(kind: str, pk: int, person: Leader) -> str:
    """Each step is told, also the second of its kind: a metric may go there and back."""
    return f"{kind}:{pk}:{person.key}:{uuid.uuid4()}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
