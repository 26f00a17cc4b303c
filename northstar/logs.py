"""Logging by structlog: lines for people at a terminal, one JSON object a line in production."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# Addresses that open something by themselves: what follows in them is as good as a password.
SECRETS = re.compile(r"(/(?:c|n|account/first|account/join|account/password/reset/key)/)[^/\s\"']+")


def hide_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes the secrets of links out of all that is logged of a request."""
    for name, value in event.items():
        if isinstance(value, str) and "/" in value:
            event[name] = SECRETS.sub(r"\1...", value)
    return event


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    hide_secrets,
]


def configuration(level: str, as_json: bool) -> dict[str, Any]:
    """The value of Django's LOGGING; also makes structlog hand its events to the standard handlers."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        final += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        final.append(
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": final,
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would say everything a second time.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # What they say of a request holds its address, and a web hook's address is a secret.
            "urllib3": {"level": "ERROR"},
            "apprise": {"level": "CRITICAL"},
        },
    }
