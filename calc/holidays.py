"""Public holidays, which are no working days: one reading of a country for the calendar and for people."""

from collections.abc import Iterable
from functools import lru_cache

import holidays

from calc.clock import SATURDAY_AND_SUNDAY, FreeDays

# A country without national bank holidays of its own: the usual ones, where no subdivision is named.
SUBDIVISIONS = {"GB": "ENG"}


def check_holidays(code: str) -> str:
    """A country, or a country and its subdivision (`GB`, `GB-SCT`, `DE-BY`); ValueError for any other."""
    country, dash, subdivision = code.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        raise ValueError(f"no holidays are known for {code!r}; write a country code such as GB, DE or US")
    if dash and subdivision not in known[country]:
        listed = ", ".join(f"{country}-{name}" for name in known[country])
        raise ValueError(
            f"no holidays are known for {code!r}; "
            + (f"of {country} there are {listed}" if listed else f"{country} has no subdivisions")
        )
    return code


def free_days(code: str, years: Iterable[int]) -> FreeDays:
    """The public holidays of these years and the country's weekend; for "" Saturdays and Sundays alone. Of
    the United Kingdom the holidays of England, if no subdivision is named: most bank holidays are days of a
    subdivision."""
    return _free_days(code, tuple(years)) if code else FreeDays()


@lru_cache(maxsize=64)
def weekend(code: str) -> frozenset[int]:
    """The days of the week, Monday being 0, on which a country rests; Saturday and Sunday for ""."""
    if not code:
        return SATURDAY_AND_SUNDAY
    country, _, subdivision = code.partition("-")
    return frozenset(
        holidays.country_holidays(country, subdiv=subdivision or SUBDIVISIONS.get(country)).weekend
    )


@lru_cache(maxsize=64)
def _free_days(code: str, years: tuple[int, ...]) -> FreeDays:
    country, _, subdivision = code.partition("-")
    named = subdivision or SUBDIVISIONS.get(country)
    return FreeDays(holidays.country_holidays(country, subdiv=named, years=years), weekend(code))
