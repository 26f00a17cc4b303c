#!/usr/bin/env python
"""Runs North Star's commands: `python manage.py up`, `apply`, `recompute`, `values` and so on."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "northstar.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
