"""The screens, what the first two are filled with, and how much all of them have written."""

from metrics.models import Installation, Metric, Start, Target
from owners.models import Leader, Ownership, User

SCREENS = ("company", "north-star", "figures", "targets", "leaders", "invitations")
COMPANY = {
    "name": "Kestrel",
    "timezone": "Europe/London",
    "week_start": 0,
    "fiscal_year_start": 1,
    "holidays": "GB",
}
STAR = {
    "name": "Orders",
    "definition": "Paid.",
    "unit": "count",
    "better": "up",
    "kind": "amount",
    "grain": "month",
}


def rows() -> tuple[int, ...]:
    """How much there is of all that the screens write."""
    models = (Metric, Target, Leader, User, Ownership, Start, Installation)
    return tuple(model.objects.count() for model in models)
