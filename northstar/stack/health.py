"""Is it alive? For `up` and for the health checks of containers, without loading Django.

`python -m northstar.stack.health URL` asks whether a web server answers well, `... health FILE SECONDS`
whether the file has been touched within that time (the scheduler touches one at every tick). Exit code 0
says yes.
"""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path


def answers(url: str, host: str = "") -> bool:
    """Whether a web server replies at `url`, be it with a refusal; `host` is the name that it goes by."""
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers={"Host": host} if host else {})  # noqa: S310 (ours, http)
    try:
        opener.open(request, timeout=10).close()
    except urllib.error.HTTPError as reply:
        return reply.code < 500
    except OSError:
        return False
    return True


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def healthy(arguments: Sequence[str]) -> int:
    """The exit code for `URL` or `FILE SECONDS`. The host's name is the first of ALLOWED_HOSTS."""
    if len(arguments) == 1:
        host = os.environ.get("ALLOWED_HOSTS", "").partition(",")[0].strip().lstrip(".*")
        return 0 if answers(arguments[0], host) else 1
    path, seconds = Path(arguments[0]), float(arguments[1])
    try:
        return 0 if time.time() - path.stat().st_mtime < seconds else 1
    except FileNotFoundError:
        return 1


if __name__ == "__main__":
    sys.exit(healthy(sys.argv[1:]))
