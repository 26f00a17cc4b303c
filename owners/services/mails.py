"""E-mails of notices: plain text, with a key in their headers by which a repeat can be told."""

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from owners.models import Notice

TIMEOUT = 20  # seconds for the mail server


def message_of(notice: Notice, address: str) -> EmailMessage:
    """The e-mail of a notice. Its address on the site stands below the words."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    url = settings.SITE_URL.rstrip("/") + notice.path if notice.path else ""
    return EmailMessage(
        subject=" ".join(notice.subject.split()),
        body=f"{notice.body}\n\n{url}" if url else notice.body,
        to=[address],
        headers={
            "Message-ID": f"<notice-{notice.pk}@{domain}>",
            "X-Northstar-Key": "".join(c if c.isascii() and c.isprintable() else "?" for c in notice.key),
            "Auto-Submitted": "auto-generated",
        },
        connection=get_connection(timeout=TIMEOUT),
    )
