"""The company and its calendar, as typed."""

from typing import Any

from django import forms

from calc.calendar import WEEKDAYS, Calendar
from metrics.queries.start import places

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_OPENING_DAYS = (0, 6, 5)  # weeks begin on Monday, Sunday or Saturday nearly everywhere


class CompanyForm(forms.Form):
    name = forms.CharField(max_length=200, label="Company")
    timezone = forms.ChoiceField(label="Time zone")
    week_start = forms.TypedChoiceField(
        label="Weeks begin on", coerce=int, choices=[(n, WEEKDAYS[n].capitalize()) for n in _OPENING_DAYS]
    )
    fiscal_year_start = forms.TypedChoiceField(
        label="The fiscal year opens in", coerce=int, choices=list(enumerate(MONTHS, 1))
    )
    holidays = forms.ChoiceField(label="Public holidays of", required=False)
    token = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, calendar: Calendar, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = places()
        zones = [
            (region, [(zone, zone.replace("_", " ")) for zone, _ in listed]) if region else listed[0][:1] * 2
            for region, listed in known.zones.items()
        ]
        here = {zone for listed in known.zones.values() for zone, _ in listed}
        kept = [] if calendar.timezone in here else [(calendar.timezone, calendar.timezone)]
        self.fields["timezone"].choices = [*kept, *zones]  # type: ignore[attr-defined]
        countries = [("", "None"), *known.countries]
        if calendar.holidays not in dict(countries):
            countries.append((calendar.holidays, calendar.holidays))
        self.fields["holidays"].choices = countries  # type: ignore[attr-defined]
        if calendar.week_start not in _OPENING_DAYS:
            self.fields["week_start"].choices += [  # type: ignore[attr-defined]
                (calendar.week_start, WEEKDAYS[calendar.week_start].capitalize())
            ]

    def calendar(self) -> Calendar:
        """The calendar that a valid form says."""
        said = self.cleaned_data
        return Calendar(said["timezone"], said["week_start"], said["fiscal_year_start"], said["holidays"])
