"""Charts of pages and packs: Plotly figures as plain dicts, and drawings that need no script."""

from metrics.charts.history import RULES, history_chart
from metrics.charts.quarter import fine_shown, quarter_chart, quarter_labels
from metrics.charts.segments import charted, segment_chart
from metrics.charts.svg import quarter_svg, spark_svg
from metrics.charts.tables import Line, history_table, quarter_table
from metrics.charts.text import day, period, plain, wrapped

__all__ = [
    "RULES",
    "Line",
    "charted",
    "day",
    "fine_shown",
    "history_chart",
    "history_table",
    "period",
    "plain",
    "quarter_chart",
    "quarter_labels",
    "quarter_svg",
    "quarter_table",
    "segment_chart",
    "spark_svg",
    "wrapped",
]
