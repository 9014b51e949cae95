"""D: "There is a new revision" and other news: said over PostgreSQL and Redis, heard by `hearing`.

Both are only faster ways to the next poll; neither is needed, and neither may hold up or fail a change.
"""

import logging
from typing import Final

import redis
from django.db import connection, transaction

from resilience.stores.address import address_of
from resilience.stores.blocking import publish

LOG = logging.getLogger(__name__)
CHANNEL: Final = "torana_revision"
REDIS_TIMEOUT_S: Final = 0.2
_redis: dict[str, str | None] = {"url": None}


def bind_redis(url: str | None) -> None:
    """Where this process announces over Redis; None: nowhere. The composition root calls it once."""
    _redis["url"] = url


def bound_redis() -> str | None:
    """The Redis that `bind_redis` named."""
    return _redis["url"]


def announce(number: int) -> None:
    """Wakes every watcher when the current transaction commits, and not if it does not."""
    tell(CHANNEL, str(number))


def tell(channel: str, news: str) -> None:
    """Wakes whoever hears the channel when the current transaction commits, and not if it does not."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [channel, news])
    url = _redis["url"]
    if url is not None:
        transaction.on_commit(lambda: _tell_by_redis(url, channel, news), robust=True)


def _tell_by_redis(url: str, channel: str, news: str) -> None:
    try:
        publish(address_of(url), channel, news, timeout_s=REDIS_TIMEOUT_S)
    except redis.RedisError as error:
        LOG.info("%s %s was not announced over Redis: %s", channel, news, error)
