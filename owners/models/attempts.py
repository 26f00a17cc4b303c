"""How often somebody tried to sign in: in PostgreSQL, so that the limit holds without Redis, in parallel."""

from django.db import models


class Attempt(models.Model):
    """Tries since `since` under one key: a hash of an account, a network address or a second factor."""

    key = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField()
    since = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} since {self.since}"
