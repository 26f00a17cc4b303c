"""Spreadsheets as people have them: from pasted text or a file to figures with their place. No database."""
