"""A cache whose loss costs no page: without Redis or Valkey every look-up is a miss."""

from __future__ import annotations

from typing import Any

import redis
import structlog
from django.core.cache.backends.redis import RedisCache

log = structlog.get_logger(__name__)


class TolerantRedisCache(RedisCache):  # type: ignore[misc, unused-ignore]
    """Django's Redis cache, but an unreachable server reads as an empty one. Never keep a record here."""

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return _tolerate(super().add, True, *args, **kwargs)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _tolerate(super().get, default, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return _tolerate(super().set, None, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return _tolerate(super().touch, False, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return _tolerate(super().delete, False, *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return _tolerate(super().get_many, {}, *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return _tolerate(super().set_many, [], *args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return _tolerate(super().delete_many, None, *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return _tolerate(super().has_key, False, *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().incr(*args, **kwargs)
        except redis.RedisError as error:
            raise ValueError("The cache cannot be reached, so the key has no value.") from error

    def clear(self) -> Any:
        return _tolerate(super().clear, False)


def _tolerate(operation: Any, otherwise: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return operation(*args, **kwargs)
    except redis.RedisError as error:
        log.warning("cache unreachable", error=str(error))
        return otherwise
