"""Redis or Valkey is only the bell: dead, it costs nobody a page."""

from __future__ import annotations

import time

import kombu.exceptions
import pytest
from celery import Celery
from django.conf import settings

from northstar.cache import TolerantRedisCache

DEAD = "redis://127.0.0.1:1/0"


def cache_at(url: str) -> TolerantRedisCache:
    return TolerantRedisCache(url, {"KEY_PREFIX": "tests", "OPTIONS": {"socket_connect_timeout": 1}})


def test_a_dead_server_reads_as_an_empty_cache() -> None:
    cache = cache_at(DEAD)
    cache.set("key", 1)
    assert cache.get("key") is None
    assert cache.get("key", "other") == "other"
    assert cache.get_or_set("key", lambda: 5) == 5
    assert cache.get_many(["key"]) == {}
    assert cache.set_many({"key": 1}) == []
    assert cache.has_key("key") is False
    assert cache.touch("key") is False
    assert cache.delete("key") is False
    cache.delete_many(["key"])
    cache.clear()
    with pytest.raises(ValueError, match="cannot be reached"):
        cache.incr("key")


def test_a_living_one_remembers(valkey_url: str) -> None:
    cache = cache_at(valkey_url)
    cache.set("key", {"a": 1})
    assert cache.get("key") == {"a": 1}
    assert cache.add("key", 2) is False
    assert cache.get_many(["key", "none"]) == {"key": {"a": 1}}
    cache.set("count", 1)
    assert cache.incr("count") == 2
    assert cache.delete("key") is True
    assert cache.get("key") is None


def our_celery(url: str) -> Celery:
    app = Celery("test", broker=url, set_as_current=False)  # the site's own stays the current one
    app.conf.update(
        {
            name.removeprefix("CELERY_").lower(): getattr(settings, name)
            for name in dir(settings)
            if name.startswith("CELERY_") and name != "CELERY_BROKER_URL"
        }
    )
    return app


def test_ringing_a_dead_bell_fails_soon() -> None:
    app = our_celery(DEAD)
    started = time.monotonic()
    with pytest.raises((kombu.exceptions.OperationalError, OSError)):
        app.send_task("anything")
    assert time.monotonic() - started < 5


def test_ringing_reaches_the_queue(valkey_url: str) -> None:
    app = our_celery(valkey_url.replace("unix://", "redis+socket://"))
    app.send_task("anything", queue="rings")
    with app.connection_for_read() as connection, connection.SimpleQueue("rings") as queue:
        message = queue.get(timeout=10)
        assert message.content_type == "application/json"
        message.ack()


def test_what_a_worker_does_with_a_task() -> None:
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_TASK_ACKS_LATE is True
    assert settings.CELERY_TASK_IGNORE_RESULT is True
    assert settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] >= 3600
