"""Where notices go besides mail: chat channels of the whole company, and each person's own web hook."""

import pghistory
from django.db import models
from django.db.models import Q

from owners.models.people import User


@pghistory.track(exclude=["secret", "sent_at", "failed_at", "error"])
class Channel(models.Model):
    """A web hook. With `user` it is that person's own and gets what they ask for; without, it is the
    company's, and gets the digest and news of the data, as far as its audience may see the metrics.

    `secret` is the encrypted address, which is never shown again; `host` is the part that may be shown.
    """

    class Kind(models.TextChoices):
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"
        WEBHOOK = "webhook", "Web hook"

    class Audience(models.TextChoices):
        EVERYONE = "everyone", "Everyone: names only metrics that everyone may see"
        LEADERSHIP = "leadership", "Leadership: names every metric"

    class Digest(models.TextChoices):
        NONE = "", "No digest"
        WEEKLY = "weekly", "Weekly"
        DAILY = "daily", "Every working day"

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="channels")
    host = models.CharField(max_length=255)
    secret = models.TextField()
    audience = models.CharField(max_length=12, choices=Audience.choices, default=Audience.EVERYONE)
    digest = models.CharField(max_length=6, choices=Digest.choices, default=Digest.NONE, blank=True)
    news = models.BooleanField(default=False)  # sources and figures that fail and recover
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)  # when it last took a message
    failed_at = models.DateTimeField(null=True, blank=True)  # since when it takes none
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(archived_at=None, user__isnull=False), name="one_hook_a_person"
            ),
        ]

    def __str__(self) -> str:
        return self.name
