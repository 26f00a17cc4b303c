"""What pages, exports and the API are given: frozen dataclasses, no model instances, nothing left to query.

Shares are fractions (0.934); None is unknown and must be shown as such. Dates are local; ends are exclusive.
"""

from metrics.queries.shapes.board import Board, Change, Latest, LeaderCard, LeaderPage, Leaders, PartLine, Row
from metrics.queries.shapes.entries import Answer, Edit, EntryCell, TargetCell, TargetRow
from metrics.queries.shapes.heads import MetricHead, Person, Todo, Words
from metrics.queries.shapes.history import History, Limits, Restatement, Segment, Signal
from metrics.queries.shapes.machinery import RunLine, SourceLine, VersionLine
from metrics.queries.shapes.metric import (
    DecisionLine,
    DisputeLine,
    HeldLine,
    MetricPage,
    Neighbour,
    OwnerLine,
)
from metrics.queries.shapes.progress import Point, Progress, QuarterChart
from metrics.queries.shapes.reasons import Acceptance, Asking, Call, Doubt, Ingredient, Rejection

__all__ = [
    "Acceptance",
    "Answer",
    "Asking",
    "Board",
    "Call",
    "Change",
    "DecisionLine",
    "DisputeLine",
    "Doubt",
    "Edit",
    "EntryCell",
    "HeldLine",
    "History",
    "Ingredient",
    "Latest",
    "LeaderCard",
    "LeaderPage",
    "Leaders",
    "Limits",
    "MetricHead",
    "MetricPage",
    "Neighbour",
    "OwnerLine",
    "PartLine",
    "Person",
    "Point",
    "Progress",
    "QuarterChart",
    "Rejection",
    "Restatement",
    "Row",
    "RunLine",
    "Segment",
    "Signal",
    "SourceLine",
    "TargetCell",
    "TargetRow",
    "Todo",
    "VersionLine",
    "Words",
]
