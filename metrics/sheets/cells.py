"""Reading single cells: numbers and dates in the ways in which people and programs write them."""

from metrics.sheets.dates import Moment, day_order, read_date, read_dates, read_month
from metrics.sheets.numbers import Reading, decimal_mark, read_number

__all__ = [
    "Moment",
    "Reading",
    "day_order",
    "decimal_mark",
    "read_date",
    "read_dates",
    "read_month",
    "read_number",
]
