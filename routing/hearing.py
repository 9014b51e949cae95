"""D: News over PostgreSQL and Redis wakes the pollers of this process: one thread and one connection for each of both.

It is only a faster way to the next poll. Whoever speaks is in `notify`.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Final

import redis
from django.db import DatabaseError, InterfaceError, connection

from resilience.stores.address import address_of
from resilience.stores.blocking import subscribed
from routing.notify import REDIS_TIMEOUT_S
from routing.sidelines import close, make_sideline

LOG = logging.getLogger(__name__)
LISTEN_S: Final = 1.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 15.0

Wake = Callable[[], None]
Hear = Callable[["Ear"], None]


class Ear(threading.Thread):
    """A daemon thread that hears channels in one way, and wakes who listens to them; it reconnects for ever.

    `hear` returns when nobody listens any more, and raises when the connection is lost.
    """

    def __init__(self, hear: Hear, name: str = "ear") -> None:
        super().__init__(name=name, daemon=True)
        self._hear = hear
        self._listeners: list[tuple[str, Wake]] = []
        self._lock = threading.Lock()
        self.stopped = threading.Event()

    @property
    def channels(self) -> frozenset[str]:
        """Those that somebody listens to."""
        with self._lock:
            return frozenset(channel for channel, _ in self._listeners)

    def add(self, channel: str, wake: Wake) -> None:
        """From now on, or within LISTEN_S if it is the channel's first listener."""
        with self._lock:
            self._listeners.append((channel, wake))

    def remove(self, channel: str, wake: Wake) -> bool:
        """No more; whether nobody listens now, and the thread ends."""
        with self._lock, suppress(ValueError):
            self._listeners.remove((channel, wake))
        if not self.channels:
            self.stopped.set()
        return self.stopped.is_set()

    def tell(self, channels: frozenset[str]) -> None:
        """Wakes who listens to one of them."""
        with self._lock:
            listeners = [wake for channel, wake in self._listeners if channel in channels]
        for wake in listeners:
            wake()

    def fresh(self, known: set[str]) -> Iterator[str]:
        """Channels that are not known yet; then they are."""
        for channel in sorted(self.channels - known):
            yield channel
            known.add(channel)

    def run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self.stopped.is_set():
            try:
                self._hear(self)
                pause_s = FIRST_PAUSE_S
            except (redis.RedisError, DatabaseError, InterfaceError, OSError) as error:
                LOG.info("%s: %s", self.name, error)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            self.stopped.wait(pause_s)


class Listening:
    """One poller that listens to one channel, in one way."""

    def __init__(self, way: str, channel: str, wake: Wake) -> None:
        self._way = way
        self._channel = channel
        self._wake = wake

    def begin(self) -> None:
        """With the process's ear, or with a new one if it is the first."""
        with _lock:
            ear = _ears.get(self._way)
            if ear is not None:
                ear.add(self._channel, self._wake)
                return
            hear = hear_postgres if self._way == _POSTGRES else hear_redis(self._way)
            ear = _ears[self._way] = Ear(hear, "ear-postgres" if self._way == _POSTGRES else "ear-redis")
            ear.add(self._channel, self._wake)
            ear.start()

    def end(self) -> None:
        """The ear of whom the last one leaves ends within LISTEN_S."""
        with _lock:
            ear = _ears.get(self._way)
            if ear is not None and ear.remove(self._channel, self._wake):
                del _ears[self._way]


_POSTGRES: Final = "postgres"
_lock = threading.Lock()
_ears: dict[str, Ear] = {}


def listening(channel: str, wake: Wake, redis_url: str | None) -> list[Listening]:
    """Over PostgreSQL, if that is the database, and over Redis, if there is one; none has begun."""
    ways = [_POSTGRES] if connection.vendor == "postgresql" else []
    ways += [redis_url] if redis_url is not None else []
    return [Listening(way, channel, wake) for way in ways]


def hear_postgres(ear: Ear) -> None:
    """Wakes for each message until the ear is stopped; it raises when the connection is lost."""
    sideline = make_sideline("listening")
    known: set[str] = set()
    try:
        with sideline.cursor() as cursor:
            while not ear.stopped.is_set():
                for channel in ear.fresh(known):
                    cursor.execute(f'LISTEN "{channel}"')
                    ear.tell(frozenset({channel}))  # of what was said before
                for notice in sideline.connection.notifies(timeout=LISTEN_S, stop_after=1):
                    ear.tell(frozenset({notice.channel}))
    except DatabaseError:
        raise
    except Exception as error:  # psycopg's own errors are not Django's
        raise InterfaceError(str(error)) from error
    finally:
        close(sideline)


def hear_redis(url: str) -> Hear:
    """The same over Redis."""

    address, attempts = address_of(url), count()

    def from_redis(ear: Ear) -> None:
        if not (known := set(ear.channels)):
            return
        opened = subscribed(address, *known, timeout_s=REDIS_TIMEOUT_S, attempt=next(attempts))
        with opened as pubsub:
            while not ear.stopped.is_set():
                for channel in ear.fresh(known):
                    pubsub.subscribe(channel)
                message = pubsub.get_message(ignore_subscribe_messages=True, timeout=LISTEN_S)
                if message is not None:
                    ear.tell(frozenset({message["channel"].decode()}))

    return from_redis
