"""Pages of accounts and people: load, call one service, answer."""

from django.http import HttpRequest

from owners.models import User


class Signed(HttpRequest):
    """A request of somebody who is signed in; the door (northstar/middleware.py) lets in no other."""

    user: User
