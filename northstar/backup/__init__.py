"""Backup of a whole installation into one file, and its restore: all or nothing."""
