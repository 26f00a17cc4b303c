"""What is true in the demo company: its size, its growth, and the planted causes with their dates and sizes.

Every date hangs on the calendar quarter that contains today, so within a quarter a later load only adds days,
and a new quarter tells the story afresh. Tests and later analyses are judged against this file.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from calc.calendar import Calendar, Grain, add_months

CALENDAR = Calendar(timezone="Europe/London", week_start=0, fiscal_year_start=1, holidays="GB")
COMPANY = "Doorstep Kitchen"
SEED = 20
CUSTOMERS = 60_000  # at scale 1, over the whole horizon
LATENESS = timedelta(days=2)

# name -> (share of new customers, on-time share on the company's first day, factor on the size of a basket)
CITIES: dict[str, tuple[float, float, float]] = {
    "London": (0.34, 0.831, 1.12),
    "Manchester": (0.21, 0.841, 0.97),
    "Birmingham": (0.16, 0.836, 0.96),
    "Bristol": (0.12, 0.846, 1.00),
    "Leeds": (0.10, 0.841, 0.94),
    "Glasgow": (0.07, 0.836, 0.95),
}
CHANNELS: dict[str, float] = {"app": 0.66, "web": 0.25, "phone": 0.09}
PLATFORMS: dict[str, float] = {"ios": 0.48, "android": 0.44, "web": 0.08}

# Monday to Sunday: how likely a customer is to order on that day, against the mean day.
WEEKDAYS = (0.78, 0.82, 0.88, 0.95, 1.22, 1.30, 1.05)
# January to December: cold and dark months order in, summer holidays do not.
MONTHS = (1.05, 1.03, 1.01, 1.00, 0.98, 0.96, 0.95, 0.96, 0.99, 1.01, 1.03, 1.05)
HOLIDAY = 1.15  # on a bank holiday of England, but for
CHRISTMAS = 0.25  # Christmas Day, when most kitchens are closed

ACQUISITION_GROWTH = 0.22  # a year: new customers a day
DEMAND_GROWTH = 0.06  # a year: how likely a customer is to order on a day
BASKET_GROWTH = 0.11  # a year: size of a basket
PUNCTUALITY_GROWTH = 0.038  # a year: points of the on-time share, in every city
LATE_SHARE = 0.03  # of rows, that reach the warehouse one or two days after the others of their day
CANCELLED_SHARE = 0.022
REFUND_SHARE = 0.034  # of delivered orders that come on time
REFUND_SHARE_LATE = 0.075  # of those that come late


@dataclass(frozen=True)
class Truth:
    """The planted story for the quarter that opens on `quarter_start`; windows are half-open local dates."""

    quarter_start: date

    @property
    def quarter_end(self) -> date:
        return add_months(self.quarter_start, 3)

    @property
    def first_day(self) -> date:
        """Three whole years and the current quarter lie between here and the quarter's end."""
        return add_months(self.quarter_start, -36)

    # Couriers leave Manchester for a rival: orders there come late, until further notice.
    shortage_city = "Manchester"
    shortage_effect = -0.30  # points of the on-time share of that city

    @property
    def shortage_from(self) -> date:
        """A Monday, two to three weeks before the quarter."""
        return _monday(self.quarter_start) - timedelta(days=14)

    # A supplier's batch of spoilt dairy: for one week refunds are a multiple of the usual. A leader explains.
    refund_spike_factor = 3.0

    @property
    def refund_spike(self) -> tuple[date, date]:
        """The week that begins on the seventh Monday before the quarter."""
        start = _monday(self.quarter_start) - timedelta(days=49)
        return start, start + timedelta(days=7)

    # The payment provider's file of one month lacked a city's refunds; the corrected one came weeks later.
    restated_city = "London"

    @property
    def restated_month(self) -> tuple[date, date]:
        """The first month of the quarter before: its refunds of one city were first loaded as zero."""
        start = add_months(self.quarter_start, -3)
        return start, add_months(start, 1)

    @property
    def corrected_at(self) -> datetime:
        """When the corrected file was taken in, UTC: five days before the quarter."""
        return datetime.combine(self.quarter_start - timedelta(days=5), time(14, 20))

    # A welcome menu for the second order: more customers come back within 45 days of their first order.
    welcome_effect = 0.30  # relative growth of a new customer's daily chance to order in the first 45 days

    @property
    def welcome_from(self) -> date:
        """First orders from this day on meet the welcome menu: a year and a half before the quarter."""
        return add_months(self.quarter_start, -18)

    # Glasgow opens: before, nobody there could order.
    opened_city = "Glasgow"

    @property
    def opened_from(self) -> date:
        return add_months(self.quarter_start, -14)


def story(today: date) -> Truth:
    """The story as told on a day: that of the quarter the day lies in."""
    return Truth(CALENDAR.period(Grain.QUARTER, today).start)


def _monday(day: date) -> date:
    """The Monday of the week of a day."""
    return CALENDAR.period(Grain.WEEK, day).start
