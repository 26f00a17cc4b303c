"""`manage.py admin EMAIL`: makes an admin, or prints a fresh one-time link for one."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from owners.services import accounts, links


class Command(BaseCommand):
    help = "Makes EMAIL an admin and prints a one-time link, good for 24 hours, to set a password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--url", help="address of this installation (default: SITE_URL)")

    def handle(self, *args: Any, email: str, url: str | None, **options: Any) -> None:
        try:
            user, secret = accounts.make_admin(email)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from error
        base = url or settings.SITE_URL
        self.stdout.write(f"{user.email} is an admin. To set a password, once and within 24 hours:")
        self.stdout.write(links.join_url(base, secret))
