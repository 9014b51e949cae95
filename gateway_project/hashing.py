"""D: Passwords are hashed a few at a time: whoever sends many must not take the processor from the data plane.

A hash costs a good part of a second of a core, by design, and anybody may ask for one, by registering or by guessing.
So some wait for their turn, and when too many do, the next ones are told to come again.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore
from typing import Any, Final

from django.contrib.auth.hashers import PBKDF2PasswordHasher, get_hasher, make_password

from authproxy.refusing import Refused
from authproxy.rejections import Code, Rejection

MOST_WAITING: Final = 32
LONGEST_WAIT_S: Final = 10.0
ROUNDS_FOR_RANDOM: Final = 10_000
_BUSY: Final = Rejection(
    Code.OVERLOADED, "Too many passwords are being checked.", headers=((b"retry-after", b"5"),)
)


class Turns:
    """At most `at_once` in it, at most `waiting` before it; whoever does not get in is refused."""

    def __init__(
        self, at_once: int, *, waiting: int = MOST_WAITING, longest_wait_s: float = LONGEST_WAIT_S
    ) -> None:
        self._most = at_once + waiting
        self._longest_wait_s = longest_wait_s
        self._here = 0
        self._lock = Lock()
        self._free = Semaphore(at_once)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for a turn. Raises Refused."""
        with self._lock:
            if self._here >= self._most:
                raise Refused(_BUSY)
            self._here += 1
        try:
            if not self._free.acquire(timeout=self._longest_wait_s):
                raise Refused(_BUSY)
            try:
                yield
            finally:
                self._free.release()
        finally:
            with self._lock:
                self._here -= 1


TURNS: Final = Turns(max(1, (os.cpu_count() or 1) // 2))
"""Of this process: half of the cores are for others."""


class PatientHasher(PBKDF2PasswordHasher):
    """Django's own, one after another; what it stored before stays good."""

    def encode(self, *args: Any, **more: Any) -> str:
        """Verifying a password encodes it, too."""
        with TURNS.turn():
            return super().encode(*args, **more)


def lightly(password: str) -> str:
    """The hash to store for a password of 96 random bits or more that was just made up, and for nothing else.

    A million rounds make guessing what people choose dear; nobody guesses random bits, however cheap a guess is. The
    first sign-in stores the hash with all rounds, as Django does for every hash that has fewer, and until then a wrong
    password takes as long as ever.
    """
    hasher = get_hasher()
    if isinstance(hasher, PBKDF2PasswordHasher):
        return str(hasher.encode(password, hasher.salt(), ROUNDS_FOR_RANDOM))
    return str(make_password(password))
