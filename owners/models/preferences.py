"""How a person wants to be told, and when not."""

import pghistory
from django.db import models
from django.db.models import Q

from owners.kinds import Topic
from owners.models.people import Leader, User


@pghistory.track()
class Preference(models.Model):
    """The way that a person has chosen for a topic: of an account, or of a leader without one."""

    class Way(models.TextChoices):
        MAIL = "mail", "E-mail"
        HOOK = "hook", "My web hook"
        OFF = "off", "Not at all"

    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.CASCADE, related_name="preferences"
    )
    leader = models.ForeignKey(
        Leader, null=True, blank=True, on_delete=models.CASCADE, related_name="preferences"
    )
    topic = models.CharField(max_length=20, choices=Topic.choices)
    way = models.CharField(max_length=4, choices=Way.choices)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None, leader__isnull=False) | Q(user__isnull=False, leader=None),
                name="preference_of_one_person",
            ),
            models.CheckConstraint(condition=~Q(topic=Topic.SECURITY), name="security_is_always_told"),
            models.UniqueConstraint(
                fields=["user", "topic"], condition=Q(leader=None), name="one_way_an_account"
            ),
            models.UniqueConstraint(
                fields=["leader", "topic"], condition=Q(user=None), name="one_way_a_leader"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.leader}: {self.topic} by {self.way}"


@pghistory.track()
class Habits(models.Model):
    """When an account's owner is not to be disturbed, and how often the digest comes."""

    class Digest(models.TextChoices):
        WEEKLY = "weekly", "Weekly"
        DAILY = "daily", "Every working day"

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="habits")
    quiet_from = models.TimeField()
    quiet_until = models.TimeField()
    on_free_days = models.BooleanField(default=False)  # also at weekends and on holidays
    digest = models.CharField(max_length=6, choices=Digest.choices, default=Digest.WEEKLY)

    def __str__(self) -> str:
        return f"habits of {self.user}"
