"""What a file would change of what is stored: pure differences of normal forms, in plain words."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from calc.calendar import WEEKDAYS
from metrics.definitions.file import Definitions
from metrics.definitions.metric import MetricText
from metrics.definitions.promises import OwnerRow

NAMES = {
    "warehouses": "warehouse",
    "sources": "source",
    "teams": "team",
    "leaders": "leader",
    "metrics": "metric",
}
SHORT = 60  # characters of an old or new text that are shown


@dataclass(frozen=True)
class Change:
    """One difference. part: "" (the object's own field `name`), "target", "owners", "drivers", "order",
    "rename", "secret"; name: the field, or the target's quarter. what: new | changed | missing | archived |
    renamed."""

    section: str
    key: str
    part: str
    name: str
    old: Any
    new: Any
    what: str = "changed"

    @property
    def subject(self) -> str:
        return f"{NAMES.get(self.section, self.section)} {self.key}".strip()

    def __str__(self) -> str:
        match self.what:
            case "new":
                return f"{self.subject}: new"
            case "missing":
                return f"{self.subject}: not in the file; kept (--archive archives it)"
            case "kept":
                return f"{self.subject}: target {self.name} is not in the file; kept"
            case "archived":
                return f"{self.subject}: archived"
            case "renamed":
                return f"{self.subject}: renamed from {self.old}"
        if self.part == "secret":
            return f"{self.subject}: {self.name} (not shown)"
        if self.part == "order":
            return "the order of metrics"
        name = f"target {self.name}" if self.part == "target" else self.name or self.part
        return f"{self.subject}: {name}: {say(self.old)} → {say(self.new)}"


def say(value: Any) -> str:
    """A value of the normal form in words, short."""
    if value in (None, "", {}, [], ()):
        return "nothing"
    if isinstance(value, float):
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    if isinstance(value, dict):
        text = ", ".join(f"{name} {say(inner)}" for name, inner in value.items())
    elif isinstance(value, list):
        text = ", ".join(say(item) for item in value)
    elif isinstance(value, OwnerRow):
        text = f"{value.leader or 'vacant'}" + (f" from {value.start}" if value.start else "")
    else:
        text = " ".join(str(value).split())
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def with_renames(before: Definitions, file: Definitions) -> tuple[Definitions, dict[str, str]]:
    """`before` with the file's renames done (`was:`), references too; and old -> new of those that took
    place."""
    stored = before.metrics or {}
    renames = {
        text.was: key
        for key, text in (file.metrics or {}).items()
        if text.was and text.was in stored and key not in stored
    }
    if not renames:
        return before, {}
    after = copy.deepcopy(before)
    after.metrics = {renames.get(key, key): text for key, text in (after.metrics or {}).items()}
    for text in after.metrics.values():
        rename_in(text.fields.get("spec", {}), renames)
        for driver in text.drivers or []:
            driver["metric"] = renames.get(driver["metric"], driver["metric"])
    return after, renames


def rename_in(spec: dict[str, Any], renames: Mapping[str, str]) -> bool:
    """Renames the metrics that a spec refers to, in place; whether there were any."""
    before = copy.deepcopy(spec)
    for side in ("numerator", "denominator"):
        if isinstance(spec.get(side), str):
            spec[side] = renames.get(spec[side], spec[side])
    for name, written in spec.get("inputs", {}).items():
        if isinstance(written, str):
            spec["inputs"][name] = renames.get(written, written)
        else:
            written["metric"] = renames.get(written["metric"], written["metric"])
    return spec != before


def overlay(before: Definitions, file: Definitions, *, archive: bool) -> Definitions:
    """The whole that would result: what is stored with the file laid over it."""

    def laid(name: str) -> Any:
        old, new = getattr(before, name), getattr(file, name)
        if new is None:
            return dict(old)
        return dict(new) if archive else {**old, **new}

    whole = Definitions(
        calendar=file.calendar if file.calendar is not None else before.calendar,
        warehouses=laid("warehouses"),
        sources=laid("sources"),
        teams=laid("teams"),
        leaders=laid("leaders"),
        former=before.former | (frozenset(before.leaders or {}) if archive else frozenset()),
    )
    whole.metrics = {}
    metrics: dict[str, MetricText] = laid("metrics")
    for key in order(list(before.metrics or {}), list(file.metrics or {})):
        if key in metrics:
            whole.metrics[key] = _kept_parts(metrics[key], (before.metrics or {}).get(key))
    return whole


def _kept_parts(text: MetricText, old: MetricText | None) -> MetricText:
    """The metric with what the file leaves unsaid taken from what is stored."""
    if old is None or text is old:
        return text
    whole = copy.copy(text)
    if text.owner is None and text.owners is None:
        whole.owners = old.owners
    if text.targets is None:
        whole.targets = old.targets
    if text.drivers is None:
        whole.drivers = old.drivers
    return whole


def order(stored: list[str], file: list[str]) -> list[str]:
    """The file's order; a metric that is only stored keeps its place after the one before it."""
    result = list(file)
    previous: str | None = None
    for key in stored:
        if key not in result:
            result.insert(result.index(previous) + 1 if previous else 0, key)
        previous = key
    return result


def changes(before: Definitions, file: Definitions, *, archive: bool, today: date) -> list[Change]:
    """Every difference, in the order of the file's sections."""
    found: list[Change] = []
    if file.calendar is not None:
        old, new = _spoken(before.calendar or {}), _spoken(file.calendar)
        found += _fields("calendar", "", old, new)
    for section in ("warehouses", "sources", "teams", "leaders"):
        objects = getattr(file, section)
        if objects is not None:
            found += _objects(section, getattr(before, section) or {}, objects, archive=archive)
    if file.metrics is not None:
        found += _metrics(before.metrics or {}, file.metrics, archive=archive, today=today)
    return found


def _spoken(calendar: Mapping[str, Any]) -> dict[str, Any]:
    spoken = dict(calendar)
    if "week_start" in spoken:
        spoken["week_start"] = WEEKDAYS[spoken["week_start"]]
    return spoken


def _fields(section: str, key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in [*new, *(name for name in old if name not in new)]:
        if old.get(name) != new.get(name):
            yield Change(section, key, "", name, old.get(name), new.get(name))


def _objects(
    section: str, old: Mapping[str, Any], new: Mapping[str, Any], *, archive: bool
) -> Iterator[Change]:
    for key, fields in new.items():
        if key not in old:
            yield Change(section, key, "", "", None, fields, "new")
        else:
            yield from _fields(section, key, old[key], fields)
    yield from _missing(section, old, new, archive=archive)


def _missing(
    section: str, old: Mapping[str, Any], new: Mapping[str, Any], *, archive: bool
) -> Iterator[Change]:
    for key in old:
        if key not in new:
            yield Change(section, key, "", "", key, None, "archived" if archive else "missing")


def _metrics(
    old: Mapping[str, MetricText], new: Mapping[str, MetricText], *, archive: bool, today: date
) -> Iterator[Change]:
    for key, text in new.items():
        known = old.get(key)
        if known is None:
            yield Change("metrics", key, "", "", None, text.fields, "new")
        else:
            yield from _fields("metrics", key, _flat(known.fields), _flat(text.fields))
        yield from _parts(key, known or MetricText(), text, today)
    yield from _missing("metrics", old, new, archive=archive)
    was = list(old)
    if [key for key in order(was, list(new)) if key in old] != was:
        yield Change("metrics", "", "order", "", None, None)


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """With the keys of `spec` among the others, as the file has them."""
    flat = {name: value for name, value in fields.items() if name != "spec"}
    return {**flat, **fields.get("spec", {})}


def _parts(key: str, old: MetricText, new: MetricText, today: date) -> Iterator[Change]:
    history = old.owners or []
    if new.owner is not None:
        held = owner_on(history, today)
        if held != new.owner.leader:
            row = OwnerRow(new.owner.leader, today.isoformat())
            yield Change("metrics", key, "owners", "owner", held, row)
    elif new.owners is not None and new.owners != history:
        yield Change("metrics", key, "owners", "owners", history, new.owners)
    stored = old.targets or {}
    for quarter, target in (new.targets or {}).items():
        said = {name: value for name, value in target.items() if name != "reason"}
        if stored.get(quarter) != said:
            yield Change("metrics", key, "target", quarter, stored.get(quarter), said)
    if new.targets is not None:
        for quarter in stored:
            if quarter not in new.targets:
                yield Change("metrics", key, "target", quarter, stored[quarter], None, "kept")
    if new.drivers is not None and new.drivers != (old.drivers or []):
        yield Change("metrics", key, "drivers", "drivers", old.drivers or [], new.drivers)


def owner_on(history: list[OwnerRow], day: date) -> str:
    """Who answers on a day by a history; "" for nobody."""
    held = [row for row in history if row.start <= day.isoformat()]
    return held[-1].leader if held else ""
