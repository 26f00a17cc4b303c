"""People, who answers for what since when, their words, and what is sent to them."""

from owners.models.attempts import Attempt
from owners.models.cadences import Cadence
from owners.models.calls import StatusCall
from owners.models.channels import Channel
from owners.models.check_in_links import CheckInLink
from owners.models.deviations import Deviation
from owners.models.identities import Identity
from owners.models.links import AdminLink
from owners.models.notices import Notice
from owners.models.ownership import Leave, Ownership
from owners.models.people import Leader, Role, Team, User
from owners.models.preferences import Habits, Preference
from owners.models.sign_ins import SignIn
from owners.models.tokens import ApiToken, Scope
from owners.models.words import Action, CheckIn, Summary

__all__ = [
    "Action",
    "AdminLink",
    "ApiToken",
    "Attempt",
    "Cadence",
    "Channel",
    "CheckIn",
    "CheckInLink",
    "Deviation",
    "Habits",
    "Identity",
    "Leader",
    "Leave",
    "Notice",
    "Ownership",
    "Preference",
    "Role",
    "Scope",
    "SignIn",
    "StatusCall",
    "Summary",
    "Team",
    "User",
]
