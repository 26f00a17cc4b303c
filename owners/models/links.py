"""One-time links by which an admin comes into an installation."""

from django.db import models


class AdminLink(models.Model):
    """A hashed one-time secret. With an empty `email` it makes the first admin, valid while none exists."""

    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the secret in the link
    email = models.EmailField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"link for {self.email or 'the first admin'}"
