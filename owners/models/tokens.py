"""Tokens by which a program uses the API in a person's name."""

import pghistory
from django.conf import settings
from django.db import models


class Scope(models.TextChoices):
    """What a token may be used for; never more than its person may do at that moment."""

    READ = "read", "read figures, targets and leaders"
    WRITE = "values:write", "enter figures"


# A use is no change, and the digest is nobody's business.
@pghistory.track(exclude=["digest", "last_used_at"])
class ApiToken(models.Model):
    """A hashed secret of 256 random bits with its scopes. `metric_keys` restricts it to these metrics; []
    means all that its person may see."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16)  # what a token begins with, so that one can tell them apart
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the whole token
    scopes = models.JSONField(default=list)
    metric_keys = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)  # to the hour
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
