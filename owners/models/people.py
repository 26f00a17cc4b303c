"""Accounts, teams and leaders. A leader is a person who answers for metrics; a user is one who signs in."""

import unicodedata
from typing import Any, ClassVar

import pghistory
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower


class Role(models.TextChoices):
    """What a user may do; see owners/rules.py for the table."""

    VIEWER = "viewer", "Viewer"
    LEADER = "leader", "Leader"
    ANALYST = "analyst", "Analyst"
    EXECUTIVE = "executive", "Executive"
    ADMIN = "admin", "Admin"


def _as_typed_anywhere(password: str | None) -> str | None:
    """One keyboard sends "é" as one letter, another as "e" with an accent: both are one password (NFKC, as
    NIST SP 800-63B advises)."""
    return None if password is None else unicodedata.normalize("NFKC", password)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, role=Role.ADMIN, **fields)


@pghistory.track(exclude=["password", "last_login"])
class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in with an e-mail address."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.VIEWER)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)
    invited_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="invited"
    )
    second_factor_reset_at = models.DateTimeField(null=True, blank=True)  # by an admin

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_account_per_address")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def joined(self) -> bool:
        """Whether the person has ever come in, or could by a password. Reads nothing."""
        return self.has_usable_password() or self.last_login is not None

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(_as_typed_anywhere(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        return super().check_password(_as_typed_anywhere(raw_password))

    def get_full_name(self) -> str:
        return str(self)


@pghistory.track()
class Team(models.Model):
    key = models.SlugField(max_length=80, unique=True, allow_unicode=False)
    name = models.CharField(max_length=200)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class Leader(models.Model):
    """A person who owns metrics, counts manual figures or keeps a source healthy."""

    key = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    title = models.CharField(max_length=200, blank=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="leaders")
    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="leader")
    country = models.CharField(max_length=12, blank=True)  # whose holidays: GB, DE-BY; "": the installation's
    timezone = models.CharField(max_length=64, blank=True)  # Europe/Berlin; "": the installation's
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
