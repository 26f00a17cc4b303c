"""The reading of `calendar.holidays`: that of calc.holidays, under the name by which definitions know it."""

from calc.holidays import SUBDIVISIONS, check_holidays, free_days, weekend

__all__ = ["SUBDIVISIONS", "check_holidays", "free_days", "weekend"]
