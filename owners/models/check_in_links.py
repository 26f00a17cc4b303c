"""Links in reminders that open one check-in for one person without signing in."""

from django.db import models

from owners.models.people import User


class CheckInLink(models.Model):
    """`user` may give the word on `metric_key` that is asked for since `since`, until it is given, the link
    expires or is revoked. The secret is not stored: it is signed with the installation's key."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="check_in_links")
    metric_key = models.CharField(max_length=80)
    since = models.DateField()  # the end of the period that is spoken of
    made_on = models.DateField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "metric_key", "since", "made_on"], name="one_check_in_link_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"check-in of {self.user} on {self.metric_key}"
