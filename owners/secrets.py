"""Encryption of what must not lie readable in the database: passwords of warehouses, addresses of webhooks.

The keys are outside the database (`NORTHSTAR_ENCRYPTION_KEYS`); the first one encrypts, all decrypt, so that
a key is changed by putting the new one in front.
"""

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class UnreadableSecret(Exception):
    """A stored secret was encrypted with a key that is no longer among `NORTHSTAR_ENCRYPTION_KEYS`."""


def _fernet_of(key: str) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        # A passphrase of any shape works too: operators paste what their secret store gives them.
        return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))


def _box() -> MultiFernet:
    keys = [key for key in settings.NORTHSTAR_ENCRYPTION_KEYS if key]
    if not keys:
        raise ImproperlyConfigured("NORTHSTAR_ENCRYPTION_KEYS is empty; secrets cannot be stored")
    return MultiFernet([_fernet_of(key) for key in keys])


def encrypt(secrets: Mapping[str, str]) -> str:
    """The secrets as text for the database; "" for none."""
    return _box().encrypt(json.dumps(dict(secrets)).encode()).decode() if secrets else ""


def decrypt(stored: str) -> dict[str, str]:
    """What `encrypt` was given. UnreadableSecret if no key of this installation opens it."""
    if not stored:
        return {}
    try:
        opened: dict[str, str] = json.loads(_box().decrypt(stored.encode()))
    except InvalidToken as error:
        raise UnreadableSecret(
            "a stored secret cannot be read with the encryption keys of this setting"
        ) from error
    return opened
