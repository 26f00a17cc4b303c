"""Passwords of warehouses are encrypted as every other secret is: see owners/secrets.py."""

from owners.secrets import UnreadableSecret, decrypt, encrypt

__all__ = ["UnreadableSecret", "decrypt", "encrypt"]
