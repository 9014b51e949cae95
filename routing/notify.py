"""D: "There is a new revision": said over PostgreSQL and Redis, heard as a wake-up of the watcher.

Both are only faster ways to the next poll; neither is needed, and neither may hold up or fail a change.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

import redis
from django.db import DatabaseError, InterfaceError, connection, transaction

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


def announce(number: int) -> None:
    """Wakes every watcher when the current transaction commits, and not if it does not."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(number)])
    url = _redis["url"]
    if url is not None:
        transaction.on_commit(lambda: _announce_by_redis(url, number), robust=True)


def _announce_by_redis(url: str, number: int) -> None:
    try:
        with redis.Redis.from_url(
            url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S
        ) as client:
            client.publish(CHANNEL, str(number))
    except redis.RedisError as error:
        LOG.info("revision %d was not announced over Redis: %s", number, error)


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


def hear_postgres(wake: Wake, stopped: threading.Event) -> None:
    """Calls `wake` for each NOTIFY until stopped; raises when the connection is lost."""
    sideline = open_sideline()
    try:
        with sideline.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
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


def hear_redis(url: str) -> Hear:
    """The function that calls `wake` for each message until stopped; it raises when the connection is lost."""

    def from_redis(wake: Wake, stopped: threading.Event) -> None:
        with (
            redis.Redis.from_url(url, socket_connect_timeout=REDIS_TIMEOUT_S) as client,
            client.pubsub() as ear,
        ):
            ear.subscribe(CHANNEL)
            while not stopped.is_set():
                if ear.get_message(ignore_subscribe_messages=True, timeout=LISTEN_S) is not None:
                    wake()

    return from_redis
