"""Who answers for a metric, or a member of one of its dimensions, since when; and who is away until when.

Rows of (metric, part, from, leader or vacant), one a day, so that neither overlap nor hole can exist.
"""

import pghistory
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models
from django.db.models import F, Func, Q, Value

from owners.models.people import Leader


@pghistory.track()
class Ownership(models.Model):
    """From `from_date` until the next row of the same part, `leader` answers for it; None: nobody does.

    `dimension` and `member` are "" for the whole metric. A member without a row of its own belongs to the
    metric's owner. A row `is_returned` says the same of a member that had one: from then on it is the
    metric's owner's again.
    """

    metric_key = models.CharField(max_length=80)
    dimension = models.CharField(max_length=80, default="", blank=True)
    member = models.CharField(max_length=200, default="", blank=True)
    from_date = models.DateField()
    leader = models.ForeignKey(
        Leader, null=True, blank=True, on_delete=models.PROTECT, related_name="ownerships"
    )
    is_returned = models.BooleanField(default=False)
    note = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["metric_key", "dimension", "member", "from_date"]
        constraints = [
            models.UniqueConstraint(
                fields=["metric_key", "dimension", "member", "from_date"],
                name="one_owner_of_a_part",
            ),
            models.CheckConstraint(
                condition=~Q(dimension="") | Q(member="", is_returned=False), name="the_whole_has_no_member"
            ),
            models.CheckConstraint(
                condition=Q(is_returned=False) | Q(leader=None), name="returned_to_the_metrics_owner"
            ),
        ]

    def __str__(self) -> str:
        part = f"{self.metric_key} {self.member}".strip()
        return f"{part} from {self.from_date}: {self.leader or 'vacant'}"


@pghistory.track()
class Leave(models.Model):
    """`leader` is away from `from_date` through `until_date`; `delegate` speaks and counts for them then.

    What they answer for stays theirs. Without a delegate nobody stands in, which pages say loudly.
    """

    leader = models.ForeignKey(Leader, on_delete=models.PROTECT, related_name="leaves")
    from_date = models.DateField()
    until_date = models.DateField()
    delegate = models.ForeignKey(
        Leader, null=True, blank=True, on_delete=models.PROTECT, related_name="delegations"
    )
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["from_date", "leader"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until_date__gte=F("from_date")), name="a_leave_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(delegate=None) | ~Q(delegate=F("leader")), name="nobody_stands_in_for_themself"
            ),
            ExclusionConstraint(
                name="one_leave_at_a_time",
                expressions=[  # a range of one number, which GiST can compare without an extension
                    (Func(F("leader_id"), F("leader_id"), Value("[]"), function="int8range"), "&&"),
                    (Func(F("from_date"), F("until_date"), Value("[]"), function="daterange"), "&&"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.leader} away {self.from_date} to {self.until_date}"
