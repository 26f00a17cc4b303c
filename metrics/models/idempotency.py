"""What was answered to a request that named itself, so that its repeat does nothing a second time."""

from django.conf import settings
from django.db import models


class IdempotencyKey(models.Model):
    """One batch of figures that was entered, under the name that its sender gave it. Senders are told apart:
    a token, or a person in a browser. Kept for some days (services/idempotency.py)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.ForeignKey(
        "owners.ApiToken", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    key = models.CharField(max_length=200)
    body_hash = models.CharField(max_length=64)  # SHA-256 of what was sent
    answer = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "token", "key"], nulls_distinct=False, name="one_answer_per_key"
            )
        ]

    def __str__(self) -> str:
        return self.key
