"""D: "There is a new revision" and other news: said over PostgreSQL and Redis, heard as a wake-up of a watcher.

Both are only faster ways to the next poll; neither is needed, and neither may hold up or fail a change.
"""

import logging
import threading
from collections.abc import Callable
from itertools import count
from typing import Final

import redis
from django.db import DatabaseError, InterfaceError, connection, transaction

from resilience.stores.address import address_of
from resilience.stores.blocking import publish, subscribed
from routing.sidelines import close, open_sideline

LOG = logging.getLogger(__name__)
CHANNEL: Final = "torana_revision"
REDIS_TIMEOUT_S: Final = 0.2
LISTEN_S: Final = 1.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 15.0

Wake = Callable[[], None]
Hear = Callable[[Wake, threading.Event], None]


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


class Ear(threading.Thread):
    """A daemon thread that hears one kind of announcement and calls `wake`, reconnecting for ever."""

    def __init__(self, hear: Hear, wake: Wake) -> None:
        super().__init__(name=f"ear-{hear.__name__}", daemon=True)
        self._hear = hear
        self._wake = wake
        self._stopped = threading.Event()

    def run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopped.is_set():
            try:
                self._hear(self._wake, self._stopped)
                pause_s = FIRST_PAUSE_S
            except (redis.RedisError, DatabaseError, InterfaceError, OSError) as error:
                LOG.info("%s: %s", self.name, error)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            self._stopped.wait(pause_s)

    def stop(self) -> None:
        """Asks the thread to end; it does so within LISTEN_S."""
        self._stopped.set()


def hear_postgres(channel: str) -> Hear:
    """The function that calls `wake` for each message until stopped; it raises when the connection is lost."""

    def from_postgres(wake: Wake, stopped: threading.Event) -> None:
        _hear_postgres(channel, wake, stopped)

    return from_postgres


def _hear_postgres(channel: str, wake: Wake, stopped: threading.Event) -> None:
    sideline = open_sideline()
    try:
        with sideline.cursor() as cursor:
            cursor.execute(f"LISTEN {channel}")
        wake()  # for what was said before this ear was open
        raw = sideline.connection
        while not stopped.is_set():
            for _notice in raw.notifies(timeout=LISTEN_S, stop_after=1):
                wake()
    except DatabaseError:
        raise
    except Exception as error:  # psycopg's own errors are not Django's
        raise InterfaceError(str(error)) from error
    finally:
        close(sideline)


def hear_redis(url: str, channel: str) -> Hear:
    """The same over Redis."""

    address, attempts = address_of(url), count()

    def from_redis(wake: Wake, stopped: threading.Event) -> None:
        opened = subscribed(address, channel, timeout_s=REDIS_TIMEOUT_S, attempt=next(attempts))
        with opened as ear:
            while not stopped.is_set():
                if ear.get_message(ignore_subscribe_messages=True, timeout=LISTEN_S) is not None:
                    wake()

    return from_redis
