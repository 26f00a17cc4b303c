"""The definition of a computed metric as its page edits it, and which definitions are beyond that page."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from metrics.definitions.conditions import read
from metrics.definitions.metric import MetricText
from metrics.forms.computed import CONDITIONS, WAYS, ComputedForm
from metrics.forms.start_metrics import STAR, typed_number
from owners.models import User
from owners.rules import can
from warehouse.catalog import Column
from warehouse.expressions import check_expression

SINCE = (("always", "for all history"), ("day", "from a day on; earlier figures stay as they are"))
_BEYOND = {
    "derived": "a formula over other metrics",
    "conversion": "a conversion within a window",
    "ratio": "a ratio of two measures",
}
_OR = re.compile(r"\bor\b", re.IGNORECASE)  # in "a or b and c" the parts are not what they seem
_MEASURE = {"source", "agg", "expr", "where", "additive", "fill"}


class ComputedEditForm(ComputedForm):
    """`token` names the definition that the page has shown."""

    reason = forms.CharField(
        label="Why", required=False, max_length=2_000, help_text="Needed where figures will change."
    )
    since = forms.ChoiceField(label="It holds", choices=SINCE, widget=forms.RadioSelect, initial="always")
    effective = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    token = forms.CharField(required=False, max_length=80, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, stored: Mapping[str, Any], **kwargs: Any) -> None:
        """stored: the metric's fields in normal form; what they say stays among the choices."""
        super().__init__(*args, user=user, **kwargs)
        del self.fields["key"]
        self.fields.pop("owner", None)  # handed over on a page of its own
        self._offer("way", _way(stored))
        self._offer("unit", stored.get("unit", "count"))
        if stored.get("role") == STAR[0] and not can(user, "metric.set_north_star"):
            self.fields["role"].choices = [STAR]  # type: ignore[attr-defined]

    def _offer(self, name: str, stored: str) -> None:
        known = list(self.fields[name].choices)  # type: ignore[attr-defined]
        if stored not in dict(known):
            words = stored.replace("_", " ").partition(":")[2] or stored.replace("_", " ")
            self.fields[name].choices = [*known, (stored, words)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("since") == "day" and not given.get("effective") and "effective" not in self.errors:
            self.add_error("effective", "Say from which day on.")
        return given

    def text(self, source: str, before: Mapping[str, Any] | None = None) -> MetricText:
        """As the form says it; a share's filters that are as they were also to the letter."""
        said = super().text(source, before)
        old, new = (before or {}).get("spec", {}), said.fields["spec"]
        if (
            "numerator" in new
            and _share(old) == (self.where, self.part)
            and source_of(before or {}) == source
        ):
            new["numerator"] = old["numerator"]
        return said

    @property
    def effective_day(self) -> str:
        """As the definitions file says it; "" for all history."""
        day = self.cleaned_data.get("effective")
        return day.isoformat() if day and self.cleaned_data["since"] == "day" else ""


def beyond(stored: Mapping[str, Any], *, user: User, dimensions: Mapping[str, str], entity: str) -> str:
    """What a definition is that the form cannot say, in words; "" for one that it says to the letter."""
    spec = stored.get("spec", {})
    measure = spec.get("measure")
    if stored.get("type") == "ratio" and _share(spec) is None:
        return _BEYOND["ratio"]
    if stored.get("type") not in ("ratio", "simple"):
        return _BEYOND.get(str(stored.get("type")), f"a metric of type {stored.get('type')}")
    if stored.get("type") == "simple" and (not isinstance(measure, dict) or measure.keys() - _MEASURE):
        return "a measure of its own kind"
    if "\n" in spec.get("measure", {}).get("expr", ""):  # a field of one line would run the lines together
        return "an expression of several lines"
    form = ComputedEditForm(
        initial_of(stored, {}), user=user, stored=stored, columns={}, dimensions=dimensions, entity=entity
    )
    if not form.is_valid() or form.text(source_of(stored), stored).fields != dict(stored):
        return "a definition with more than this page has fields for"
    return ""


def source_of(stored: Mapping[str, Any]) -> str:
    """The key of the one source that a definition of the form reads; "" where it reads none, or several."""
    spec = stored.get("spec", {})
    measures = [said for said in spec.values() if isinstance(said, dict) and "source" in said]
    keys = {said["source"] for said in measures}
    return str(keys.pop()) if len(keys) == 1 else ""


def initial_of(stored: Mapping[str, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    """What the form shows of a stored definition that is not `beyond` it. Filters are told by lines where the
    columns are known and lines can say them, else as the expressions that they are."""
    spec, unit = stored["spec"], stored.get("unit", "count")
    measure = spec.get("measure", {})
    where, part = _share(spec) or (measure.get("where", ""), "")
    said = {
        "name": stored.get("name", ""),
        "way": _way(stored),
        "column": measure.get("expr", ""),
        "additive": measure.get("additive", False),
        "fill": measure.get("fill", ""),
        "unit": unit,
        "role": stored.get("role", "supporting"),
        "better": stored.get("better", "up"),
        "low": typed_number(stored.get("low"), unit),
        "high": typed_number(stored.get("high"), unit),
        "goal": stored.get("goal", {}).get("kind", ""),
        "by": stored.get("by", []),
        "visible": stored.get("visible", "everyone"),
        "since": SINCE[0][0],
    }
    said |= {name: stored.get(name, "") for name in ("lens", "stage", "definition", "success", "segment")}
    return said | _filter("where", where, columns) | _filter("part", part, columns)


def _filter(group: str, text: str, columns: Mapping[str, Column]) -> dict[str, str]:
    conditions = read(text, columns) if columns else None
    if conditions is None or len(conditions) > CONDITIONS[group]:
        return {f"{group}_text": text}
    said = {}
    for n, condition in enumerate(conditions):
        said[f"{group}-column-{n}"] = condition.column
        said[f"{group}-comparison-{n}"] = condition.comparison
        said[f"{group}-value-{n}"] = condition.value
    return said


def _way(stored: Mapping[str, Any]) -> str:
    if stored.get("type") == "ratio":
        return "share"
    return str(stored.get("spec", {}).get("measure", {}).get("agg") or next(iter(WAYS)))


def _share(spec: Mapping[str, Any]) -> tuple[str, str] | None:
    """(of which rows, which of them) if a ratio counts some of a source's rows among others of them."""
    part, whole = spec.get("numerator"), spec.get("denominator")
    if not isinstance(part, dict) or not isinstance(whole, dict):
        return None
    plain = {"agg": "count", "source": part.get("source")}
    if any({k: v for k, v in side.items() if k != "where"} != plain for side in (part, whole)):
        return None
    where, both = whole.get("where", ""), part.get("where", "")
    before = f"({where}) AND ("
    if not where:
        found = both
    elif both.startswith(before) and both.endswith(")"):
        found = both[len(before) : -1]
    elif re.match(rf"{re.escape(where)}\s+and\s", both, re.IGNORECASE) and not _OR.search(both):
        found = both[len(where) :].lstrip()[len("and") :].lstrip()  # as people write it
    else:
        return None
    try:
        check_expression(found)
    except ValueError:
        return None
    return where, found
