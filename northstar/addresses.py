"""Where servers are, as their URLs say it."""

from typing import Any
from urllib.parse import unquote, urlsplit

from environ import Env


def database_of(url: str) -> dict[str, Any]:
    """Django's words for a database URL.

    The host may be a socket's directory, its slashes written as `%2F`.
    """
    words: dict[str, Any] = dict(Env.db_url_config(url))
    host = unquote(urlsplit(url).netloc.rpartition("@")[2])
    return {**words, "HOST": host} if host.startswith("/") else words
