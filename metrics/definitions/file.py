"""A definitions file as read: plain dictionaries in one normal form, the same that the stored state is
brought into, so that a difference between the two is a difference of dictionaries.

Normal form: what equals its default is left out; numbers are floats, dates ISO texts, texts trimmed.
"""

from dataclasses import dataclass, field
from typing import Any

from metrics.definitions.fields import Fields
from metrics.definitions.metric import MetricText, read_metrics
from metrics.definitions.mistakes import Report
from metrics.definitions.reading import Map, read
from metrics.definitions.sections import (
    read_calendar,
    read_leaders,
    read_sources,
    read_teams,
    read_warehouses,
)

Objects = dict[str, dict[str, Any]]


@dataclass
class Definitions:
    """The sections of a file; None is a section that the file does not hold and so does not manage.

    secrets: warehouse -> option -> the secret itself where it stands in the file instead of a `${NAME}`.
    former: keys of archived leaders, who may still stand in the history of owners.
    """

    revision: str = ""
    calendar: dict[str, Any] | None = None
    warehouses: Objects | None = None
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    sources: Objects | None = None
    teams: Objects | None = None
    leaders: Objects | None = None
    metrics: dict[str, MetricText] | None = None
    former: frozenset[str] = frozenset()


def read_definitions(text: str, report: Report) -> Definitions:
    """The file's definitions as far as they can be read; what is wrong is in the report. Nothing is looked up
    yet: whether references lead anywhere is for `checks`."""
    tree = read(text, report)
    file = Definitions()
    if tree is None:
        return file
    top = Fields(tree, "", report)
    file.revision = top.text("revision")
    if (calendar := _section(top, "calendar")) is not None:
        file.calendar = read_calendar(calendar)
    if (warehouses := _section(top, "warehouses")) is not None:
        file.warehouses, file.secrets = read_warehouses(warehouses)
    if (sources := _section(top, "sources")) is not None:
        file.sources = read_sources(sources)
    if (teams := _section(top, "teams")) is not None:
        file.teams = read_teams(teams)
    if (leaders := _section(top, "leaders")) is not None:
        file.leaders = read_leaders(leaders)
    if (metrics := _section(top, "metrics")) is not None:
        file.metrics = read_metrics(metrics)
    top.done()
    return file


def _section(top: Fields, name: str) -> Fields | None:
    """A section; one that is present but empty (`metrics:`) manages nothing to be there."""
    section = top.mapping(name)
    if section is None and name in top.node.items and name not in top:
        return Fields(Map(top.node.lines[name]), name, top.report)
    return section
