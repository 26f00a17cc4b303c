"""JSON as programs send it: strictly read, of bounded size and depth."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MOST_BYTES = 1_000_000


class TooLarge(APIException):
    """Answered with 413."""

    status_code = 413
    default_detail = f"At most {MOST_BYTES:,} bytes fit into one request; send the rest in another."
    default_code = "too_large"


class StrictJSON(BaseParser):
    """UTF-8 without duplicate keys, NaN and infinities, of at most `MOST_BYTES`."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise TooLarge
        try:
            return json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_refuse)
        except RecursionError:
            raise ParseError("This is nested too deeply.") from None
        except ValueError as error:  # of JSON, of UTF-8, and of numbers too long to be read
            raise ParseError(f"This is not JSON: {error}"[:300]) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key in found if [name for name, _ in pairs].count(key) > 1)
        raise ValueError(f"the key {twice[:40]!r} stands there twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")
