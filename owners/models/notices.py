"""The outbox: a notice is written in the transaction of its cause and delivered at least once after it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from owners.models.channels import Channel
from owners.models.people import Leader, User


class Notice(models.Model):
    """One message to one person: a leader, or an account; or to a channel; with none of them, to the admins.

    `key` makes a repeat recognisable and is sent along with it. `about` names the metrics that it tells of:
    whoever may not see one of them when it is sent does not get it. It waits until it is sent or withdrawn
    (nobody wants it any more; `error` says why).
    """

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=40)
    leader = models.ForeignKey(
        Leader, null=True, blank=True, on_delete=models.CASCADE, related_name="notices"
    )
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="notices")
    channel = models.ForeignKey(
        Channel, null=True, blank=True, on_delete=models.CASCADE, related_name="notices"
    )
    subject = models.CharField(max_length=300)
    body = models.TextField()
    path = models.CharField(max_length=300, blank=True)  # of the page it is about
    about = ArrayField(models.CharField(max_length=80), default=list, blank=True)  # keys of metrics
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(sent_at=None, withdrawn_at=None), name="notices_to_send"
            )
        ]

    def __str__(self) -> str:
        return self.subject
