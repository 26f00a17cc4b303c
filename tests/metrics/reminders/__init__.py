"""Reminders and digests: who is told of what on which day; and the link that opens one check-in."""
