#!/usr/bin/env python
"""Runs North Star's commands: `python manage.py up`, `apply`, `recompute`, `values` and so on."""

import os
import sys

REFUSED = 2


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "northstar.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from northstar.database import for_command
    from northstar.stack.errors import StackError

    try:
        with for_command(sys.argv):
            execute_from_command_line(sys.argv)
            sys.stdout.flush()
    except ImproperlyConfigured as error:
        print(f"Refused: {error}", file=sys.stderr)
        return REFUSED
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has seen enough, as in `values ... | head`. Nothing more may be written, not
        # even by the interpreter at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
