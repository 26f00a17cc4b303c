"""Where somebody is signed in."""

from django.contrib.sessions.models import Session
from django.db import models

from owners.models.people import User

LONGEST_AGENT = 200


class SignIn(models.Model):
    """A browser in which `user` is signed in. It lives and ends with Django's session."""

    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="sign_in")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    address = models.CharField(max_length=45, blank=True)  # "": came by a unix socket without a proxy
    agent = models.CharField(max_length=LONGEST_AGENT, blank=True)  # as the browser calls itself
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # coarse: see owners/services/sessions.py

    def __str__(self) -> str:
        return f"{self.user} from {self.address or 'here'}"
