"""Who answers from which day on, for a metric or a member of one of its dimensions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms

from metrics.queries.members import MemberOwner
from owners.models import Leader

WHOLE = "whole"
TO_THE_WHOLE = "="  # a leader's key never holds this sign
UNCHOSEN = "?"  # nor this one


@dataclass(frozen=True)
class Part:
    """What is handed over: the whole metric (""), or a member."""

    dimension: str = ""
    member: str = ""

    @property
    def name(self) -> str:
        """As a form sends it; a dimension's key holds no colon."""
        return f"{self.dimension}:{self.member}" if self.dimension else WHOLE

    @property
    def words(self) -> str:
        return f"{self.dimension} {self.member or '(none)'}" if self.dimension else "the whole"


class OwnerForm(forms.Form):
    """An empty leader leaves metric or member vacant, which pages show loudly; so it is chosen, never begun
    with."""

    part = forms.ChoiceField(required=False, label="What")
    leader = forms.ChoiceField(required=False, label="Owner")
    from_date = forms.DateField(
        label="From",
        widget=forms.DateInput(attrs={"type": "date", "class": "fit"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the date like 2026-09-30."},
    )
    note = forms.CharField(
        required=False,
        max_length=5_000,
        label="Note for the new owner, and for the record",
        widget=forms.Textarea(attrs={"class": "short", "rows": 3}),
    )
    move_actions = forms.BooleanField(required=False)
    token = forms.CharField(required=False, max_length=80)

    def __init__(self, *args: Any, members: Iterable[MemberOwner], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts = {WHOLE: Part(), **{p.name: p for m in members if (p := Part(m.dimension, m.member))}}
        self.people = {leader.key: leader for leader in Leader.objects.filter(archived_at=None)}
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, part in self.parts.items():
            if part.dimension:
                groups.setdefault(part.dimension, []).append((name, part.member or "(none)"))
        self.has_members = bool(groups)
        named = [(f"by {dimension}", listed) for dimension, listed in groups.items()]
        self.fields["part"].choices = [(WHOLE, "the whole metric"), *named]  # type: ignore[attr-defined]
        people: list[tuple[str, str]] = [(key, leader.name) for key, leader in self.people.items()]
        if self.has_members:
            people.append((TO_THE_WHOLE, "whoever owns the whole (for a member)"))
        self.fields["leader"].choices = [  # type: ignore[attr-defined]
            (UNCHOSEN, "choose who takes over"),
            *people,
            ("", "nobody: vacant"),
        ]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("leader") == UNCHOSEN:
            self.add_error("leader", "Choose who takes over, or nobody.")
        if given.get("leader") == TO_THE_WHOLE and not self.chosen(given).dimension:
            self.add_error("leader", "Somebody, or nobody, answers for the whole: choose one.")
        return given

    def chosen(self, given: dict[str, Any]) -> Part:
        """What is handed over; the whole where nothing was chosen."""
        return self.parts.get(given.get("part") or WHOLE, Part())
