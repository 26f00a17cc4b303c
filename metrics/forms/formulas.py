"""A formula over other metrics as typed, and the names in it that stand for a figure of another time."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from calc.formula import Formula, FormulaError
from metrics.definitions.fields import parse_key
from metrics.definitions.mistakes import nearest
from metrics.definitions.quantities import parse_span
from metrics.forms.filters import PLAIN
from metrics.forms.meaning import MeaningForm, meaning_of
from metrics.forms.sides import Ground
from owners.models import User
from warehouse.catalog import Column

LINES = 6  # of names; a formula with more is written as code
SAME, EARLIER = "", "offset"
TIMES = [
    (SAME, "of the same period"),
    (EARLIER, "earlier by …"),
    ("month", "of the period that opens the month"),
    ("quarter", "of the period that opens the quarter"),
    ("year", "of the period that opens the year"),
]


class FormulaForm(MeaningForm):
    """Arithmetic over the figures of other metrics, by their keys or by names given to them."""

    formula = forms.CharField(
        label="Formula",
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 2, **PLAIN}),
        help_text="Keys of metrics, numbers, + - * / ** and parentheses; min, max, abs, coalesce, nullif.",
    )

    def __init__(
        self,
        *args: Any,
        user: User,
        ground: Ground,
        stored: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        dimensions = dict.fromkeys(name for metric in ground.metrics for name in metric.by)
        super().__init__(*args, user=user, dimensions=dimensions, stored=stored, **kwargs)
        self.ground = ground
        self.wrong: dict[tuple[str, int], str] = {}

    def lines(self) -> list[dict[str, Any]]:
        """The names as typed or stored, with what is wrong with each."""
        said = self.data if self.is_bound else self.initial
        return [
            {
                "number": n,
                **{part: said.get(f"input-{part}-{n}", "") for part in ("name", "metric", "time", "offset")},
                "error": self.wrong.get(("input", n), ""),
            }
            for n in range(LINES)
        ]

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        self.inputs: dict[str, Any] = {}
        places: dict[str, int] = {}
        for n in range(LINES):
            said = {
                part: self.data.get(f"input-{part}-{n}", "").strip()[:200]
                for part in ("name", "metric", "time", "offset")
            }
            if not said["name"] and not said["metric"]:
                continue
            try:
                name, written = self._line(said)
            except ValueError as error:
                self.wrong["input", n] = str(error)
                continue
            self.inputs[name], places[name] = written, n
        if "formula" in given:
            self._formula(given, places)
        if self.wrong:
            self.add_error(None, "See the names marked below.")
        return given

    def _line(self, said: Mapping[str, str]) -> tuple[str, Any]:
        """(name, what it stands for in normal form); ValueError in words."""
        if not said["name"]:
            raise ValueError("Give it a name, which stands for it in the formula.")
        try:
            name = parse_key(said["name"])
        except ValueError as error:
            raise ValueError(f"{error}.") from None
        if name in self.inputs:
            raise ValueError(f"“{name}” stands here a second time.")
        if said["metric"] not in {m.key for m in self.ground.metrics}:
            raise ValueError("Choose the metric.")
        if said["time"] == SAME:
            return name, said["metric"]
        if said["time"] != EARLIER:
            if said["time"] not in dict(TIMES):
                raise ValueError("Choose of which time.")
            return name, {"metric": said["metric"], "to": said["time"]}
        offset = " ".join(said["offset"].split())
        if not offset:
            raise ValueError("Say how much earlier: 1 month, 1 year.")
        try:
            parse_span(offset).as_within()
        except ValueError as error:
            raise ValueError(f"{error}.") from None
        return name, {"metric": said["metric"], "offset": offset}

    def _formula(self, given: dict[str, Any], places: Mapping[str, int]) -> None:
        given["formula"] = " ".join(given["formula"].split())
        try:
            names = Formula.parse(given["formula"]).names
        except FormulaError as error:
            self.add_error(
                "formula", f"{str(error)[:1].upper()}{str(error)[1:]}{_place(given['formula'], error)}"
            )
            return
        known = {m.key for m in self.ground.metrics}
        unnamed = {  # of lines that are wrong for another reason
            self.data.get(f"input-name-{n}", "").strip() for _, n in self.wrong
        }
        for name in names:
            if name not in self.inputs and name not in known and name not in unnamed:
                at = _position(given["formula"], name)
                hint = nearest(name, sorted({*known, *self.inputs}), most=0)
                self.add_error(
                    "formula",
                    f"“{name}” (character {at}) is no metric that you can use, and no name below{hint}",
                )
        if not names:
            self.add_error("formula", "The formula names no metric.")
        for name, n in places.items():
            if name not in names:
                self.wrong["input", n] = f"The formula does not use “{name}”."

    def field_of(self, path: list[str]) -> str:
        return "formula" if path[:1] == ["inputs"] else super().field_of(path)

    def spec(self) -> tuple[str, dict[str, Any]]:
        formula = self.cleaned_data["formula"]
        named = {name: self.inputs.get(name, name) for name in Formula.parse(formula).names}
        return "derived", {"formula": formula, "inputs": dict(sorted(named.items()))}


def initial_of(
    stored: Mapping[str, Any], columns: Mapping[str, Mapping[str, Column]]
) -> dict[str, Any] | None:
    """What the form shows of a stored formula: metrics that stand in it by their own keys need no line. None
    for one with more names than there are lines. No columns are needed."""
    spec = stored.get("spec", {})
    said = {**meaning_of(stored), "formula": spec.get("formula", "")}
    named = {name: written for name, written in spec.get("inputs", {}).items() if name != written}
    if len(named) > LINES:
        return None
    for n, (name, written) in enumerate(named.items()):
        meant = {"metric": written} if isinstance(written, str) else written
        said[f"input-name-{n}"] = name
        said[f"input-metric-{n}"] = meant.get("metric", "")
        said[f"input-time-{n}"] = EARLIER if meant.get("offset") else meant.get("to", SAME)
        said[f"input-offset-{n}"] = meant.get("offset", "")
    return said


def _place(formula: str, error: FormulaError) -> str:
    """Where a mistake lies, in words."""
    if error.at is None:
        return "."
    rest = formula[error.at : error.at + 20]
    return f" (character {error.at + 1}: “{rest}”)." if rest else " (at its end)."


def _position(formula: str, name: str) -> int:
    """The number of the character with which a name begins."""
    found = re.search(rf"\b{re.escape(name)}\b", formula)
    return found.start() + 1 if found else 1
