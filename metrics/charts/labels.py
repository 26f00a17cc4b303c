"""Labels beside a chart, at the ends of the lines that they name: over no figure, and not over each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from metrics.charts.parts import Figure
from metrics.charts.scale import Scale
from metrics.charts.text import plain

APART = 0.1  # of the axis' height: what a line of a label needs in the lowest chart, that of the board
_LETTER = 6.6  # pixels that a letter of 12 takes, on the average of figures
BESIDE = 8  # pixels between a chart and its labels, so that a point at the edge is not touched


@dataclass(frozen=True)
class Label:
    """`words` and `figure` (`target`, `£1.74M`) at a value of the axis; narrow charts show its figure."""

    value: float
    words: str
    figure: str
    color: str

    @property
    def text(self) -> str:
        return f"{self.words} {self.figure}"


def placed(labels: Sequence[Label], axis: Scale) -> list[tuple[Label, float]]:
    """Each label with its place on the axis, in its unit: at its value, or as near to it as others let it."""
    places = spread([axis.share_of(label.value) for label in labels])
    return [(label, axis.low + at * (axis.high - axis.low)) for label, at in zip(labels, places, strict=True)]


def spread(wanted: Sequence[float], apart: float = APART) -> list[float]:
    """Places between 0 and 1 in the order of the wanted ones, none nearer to the next than `apart`, with the
    least sum of squared ways (pool adjacent violators); as far apart as they can be where there is no room.
    """
    order = sorted(range(len(wanted)), key=lambda n: wanted[n])
    apart = min(apart, 1 / max(len(order) - 1, 1))
    groups: list[list[float]] = []  # [sum, number]; a group has one mean place for its first label
    for n, index in enumerate(order):
        groups.append([wanted[index] - n * apart, 1])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, number = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += number
    highest = 1 - (len(order) - 1) * apart
    firsts = [min(max(total / number, 0.0), highest) for total, number in groups for _ in range(int(number))]
    found = dict(zip(order, (first + n * apart for n, first in enumerate(firsts)), strict=True))
    return [found[n] for n in range(len(wanted))]


def side_notes(labels: Sequence[Label], axis: Scale) -> list[Figure]:
    """Annotations right of the chart. `name` is what a narrow chart shows instead; charts.js knows it."""
    return [
        {
            "xref": "paper",
            "x": 1,
            "xanchor": "left",
            "xshift": BESIDE,
            "yref": "y",
            "y": at,
            "yanchor": "middle",
            "text": plain(label.text),
            "name": plain(label.figure),
            "showarrow": False,
            "font": {"size": 12, "color": label.color},
        }
        for label, at in placed(labels, axis)
    ]


def room_for(labels: Sequence[Label]) -> int:
    """Pixels that labels take right of a chart at letters of 12; charts.js measures its own."""
    return max((BESIDE + round(_LETTER * len(label.text)) for label in labels), default=0)
