"""Who an account is at the single sign-on server."""

import pghistory
from django.db import models

from owners.models.people import User


@pghistory.track()
class Identity(models.Model):
    """`subject` never changes there, unlike an e-mail address; linked once, it alone decides."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="one_account_per_identity"),
            models.UniqueConstraint(fields=["issuer", "user"], name="one_identity_per_account"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"
