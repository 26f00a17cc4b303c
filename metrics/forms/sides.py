"""The two sides of a ratio or of a conversion as typed: rows of a source that are counted or added up, or the
figure of another metric."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms

from metrics.definitions.fields import compact
from metrics.forms.computed import FILLS, MEASURE, ROWS_ONLY, written
from metrics.forms.filters import PLAIN, FiltersMixin, expression_field
from metrics.forms.meaning import MeaningForm
from metrics.models import Metric, Source
from owners.models import User
from warehouse.catalog import Column

ROWS, FIGURE = "source:", "metric:"


@dataclass(frozen=True)
class Ground:
    """What a metric can be made of. sources: those that are live; columns: of the sources that were asked, by
    their keys; metrics: those whose figures the author may see, without the one that is edited."""

    sources: Sequence[Source]
    metrics: Sequence[Metric] = ()
    columns: Mapping[str, Mapping[str, Column]] = field(default_factory=dict)

    def dimensions(self, chosen: Iterable[str]) -> list[str]:
        """What figures can be split by that are made of all of `chosen` (as `source:orders`)."""
        known = {f"{ROWS}{s.key}": list(s.spec.get("dimensions", {})) for s in self.sources}
        known |= {f"{FIGURE}{m.key}": list(m.by) for m in self.metrics}
        parts = [known[one] for one in chosen if one in known]
        return [name for name in parts[0] if all(name in part for part in parts)] if parts else []


class SidesForm(FiltersMixin, MeaningForm):
    """A metric of the two `SIDES`: `{side}_of` says of what, its other fields what is done with the rows."""

    SIDES: Mapping[str, str] = {}  # name -> what the page calls it
    WAYS: Mapping[str, Mapping[str, str]] = {}  # name -> aggregates
    OF_METRICS = False

    def __init__(
        self,
        *args: Any,
        user: User,
        ground: Ground,
        stored: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        data = args[0] if args else kwargs.get("data")
        said = data if data is not None else kwargs.get("initial") or {}
        self.ground = ground
        chosen = [said.get(f"{side}_of", "") for side in self.SIDES]
        super().__init__(*args, user=user, dimensions=ground.dimensions(chosen), stored=stored, **kwargs)
        for side in self.SIDES:
            self._add_fields(side)

    def _add_fields(self, side: str) -> None:
        words = self.SIDES[side]
        of = [("Rows of a source", [(f"{ROWS}{s.key}", _named(s)) for s in self.ground.sources])]
        if self.OF_METRICS:
            of.append(("The figure of a metric", [(f"{FIGURE}{m.key}", m.name) for m in self.ground.metrics]))
        self.fields[f"{side}_of"] = forms.ChoiceField(
            label=words, choices=of, widget=forms.Select({"aria-label": f"{words}: of what"})
        )
        self.fields[f"{side}_way"] = forms.ChoiceField(
            label="Figure", required=False, choices=list(self.WAYS[side].items())
        )
        kept = self.stored.get("spec", {}).get(side)
        if isinstance(kept, dict):
            self.offer(f"{side}_way", str(kept.get("agg", "count")))
        listed = {"list": f"columns-{side}", **PLAIN}
        self.fields[f"{side}_column"] = forms.CharField(
            label="Of", required=False, max_length=10_000, widget=forms.TextInput(listed)
        )
        self.fields[f"{side}_text"] = expression_field()
        self.fields[f"{side}_fill"] = forms.ChoiceField(
            label="A day without rows is", required=False, choices=FILLS
        )
        self.fields[f"{side}_additive"] = forms.BooleanField(
            label="Days add up", required=False, help_text="Of different ones: each stands on one day only."
        )

    def columns_of(self, group: str) -> Mapping[str, Column]:
        return self.ground.columns.get(source_in(self.value(f"{group}_of")), {})

    def value(self, name: str) -> str:
        """What stands in a field now, typed or stored; of a new form's choice the first."""
        return str(self[name].value() or "")

    def sides(self) -> list[dict[str, Any]]:
        """Each side for the page: its fields, conditions and columns."""
        groups = self.groups()
        return [
            {
                "name": side,
                "words": words,
                "lines": groups[side],
                "columns": list(self.columns_of(side).values()),
                "source": next(
                    (s for s in self.ground.sources if s.key == source_in(self.value(f"{side}_of"))), None
                ),
                **{
                    part: self[f"{side}_{part}"]
                    for part in ("of", "way", "column", "text", "fill", "additive")
                },
            }
            for side, words in self.SIDES.items()
        ]

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        self.measures = {side: self._side(side, given) for side in self.SIDES}
        return given

    def _side(self, side: str, given: dict[str, Any]) -> str | dict[str, Any]:
        """The side as the definitions file says it."""
        of = str(given.get(f"{side}_of", ""))
        if of.startswith(FIGURE):
            return of.removeprefix(FIGURE)
        source = next((s for s in self.ground.sources if s.key == source_in(of)), None)
        if source is None:
            return {}
        way, column = given.get(f"{side}_way") or "count", given.get(f"{side}_column", "").strip()
        where = self.read_filter(side)
        if way == "count_distinct" and not column:
            column = str(source.spec.get("entity", ""))
        if way not in ROWS_ONLY and not column:
            self.add_error(f"{side}_column", "Say of which column.")
        measure = {
            "source": source.key,
            "agg": way,
            "expr": "" if way == "count" else written(column, self.columns_of(side)),
            "where": where,
            "additive": bool(given.get(f"{side}_additive")) and way == "count_distinct",
            "fill": given.get(f"{side}_fill", ""),
        }
        return compact(measure)

    def field_of(self, path: list[str]) -> str:
        inside = {"expr": "column", "where": "text", "agg": "way", "fill": "fill", "additive": "additive"}
        if path and path[0] in self.SIDES:
            return f"{path[0]}_{inside.get(path[1] if len(path) > 1 else '', 'of')}"
        return super().field_of(path)


def source_in(of: str) -> str:
    """The source's key in `source:orders`; "" where a metric or nothing is chosen."""
    return of.removeprefix(ROWS) if of.startswith(ROWS) else ""


def side_initial(
    form: type[SidesForm], side: str, said: Any, columns: Mapping[str, Mapping[str, Column]]
) -> dict[str, Any] | None:
    """What the fields of a side show of a stored one; None where they cannot."""
    if isinstance(said, str):
        return {f"{side}_of": f"{FIGURE}{said}"}
    if not isinstance(said, dict) or said.keys() - MEASURE or "\n" in said.get("expr", ""):
        return None
    source = said.get("source", "")
    found = {
        f"{side}_of": f"{ROWS}{source}",
        f"{side}_way": said.get("agg", "count"),
        f"{side}_column": said.get("expr", ""),
        f"{side}_fill": said.get("fill", ""),
        f"{side}_additive": said.get("additive", False),
    }
    return found | form.filter_initial(side, said.get("where", ""), columns.get(source, {}))


def _named(source: Source) -> str:
    table = source.spec.get("table", "")
    return f"{source.key}: {table}" if table and table != source.key else source.key
