"""D: The database connections of a process's pollers: a few that they share, instead of one for each.

Who asks borrows one and gives it back at once; one is enough while the database answers quickly. Another is opened
only for who has waited `PATIENCE_S`, up to a bound: so what hangs or waits for a lock holds up nobody else. Now
and then one is closed, to see whether they go on without it. When the last poller has left, all are.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from routing.lately import Lately, asking_lately
from routing.sidelines import STATEMENT_TIMEOUT_S, close, file_identity, make_sideline

PATIENCE_S: Final = 0.15
TRIED_S: Final = 10.0
"""How long one more is kept at least."""
FULL_S: Final = STATEMENT_TIMEOUT_S + 1.0
"""So long who finds all connections in use waits: nobody may keep one longer."""


class _Line:
    """One connection, and which SQLite file it was opened on."""

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        self.wrapper = wrapper
        self._file: tuple[int, int] | None = None

    def leave_replaced_file(self) -> None:
        """An open SQLite connection stays with the old file when a backup takes the file's place."""
        file = file_identity(self.wrapper)
        if file != self._file:
            close(self.wrapper)
            self._file = file


class Lane:
    """At most `most` connections of this process; see `sidelines` for their name and timeouts."""

    def __init__(
        self,
        name: str,
        most: int,
        *,
        statement_timeout_s: float = STATEMENT_TIMEOUT_S,
        lock_timeout_s: float = 0.0,
    ) -> None:
        self._most = most
        self._make = partial(
            make_sideline, name, statement_timeout_s=statement_timeout_s, lock_timeout_s=lock_timeout_s
        )
        self._changed = threading.Condition()
        self._idle: list[_Line] = []
        self._count = 0
        self._users = 0
        self._trim_at_s = 0.0
        self._lately = Lately()

    @property
    def count(self) -> int:
        """Connections that are open, or about to be."""
        return self._count

    def join(self) -> None:
        """One more poller."""
        with self._changed:
            self._users += 1

    def leave(self) -> None:
        """One less."""
        with self._changed:
            self._users -= 1
            unused = self._take_unused()
        self._close(unused)

    @contextmanager
    def borrowed(self, *, since_s: float) -> Iterator[BaseDatabaseWrapper]:
        """This thread's ORM queries go over a connection of the lane, until the end of the block.

        `since_s`: answers of `lately` that were asked for earlier are too old. One that failed is closed.
        """
        line = self._take()
        connections[DEFAULT_DB_ALIAS] = line.wrapper
        try:
            line.leave_replaced_file()
            with asking_lately(self._lately, since_s=since_s):
                yield line.wrapper
        except BaseException:
            close(line.wrapper)
            raise
        finally:
            del connections[DEFAULT_DB_ALIAS]
            self._give_back(line)

    def _take(self) -> _Line:
        """The one that was used last; after some patience a new one; where there may be no more, whichever is free."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._idle or not self._count, PATIENCE_S):
                may_go_on = self._changed.wait_for(lambda: self._idle or self._count < self._most, FULL_S)
                if not may_go_on:
                    raise OperationalError(f"all {self._most} connections of this process are in use")
            if self._idle:
                return self._idle.pop()
            self._count += 1
            self._trim_at_s = time.monotonic() + TRIED_S
        try:
            return _Line(self._make())
        except BaseException:
            with self._changed:
                self._count -= 1
            raise

    def _give_back(self, line: _Line) -> None:
        if line.wrapper.in_atomic_block or line.wrapper.needs_rollback:
            close(line.wrapper)
        with self._changed:
            self._idle.append(line)
            unused = self._take_unused()
            self._changed.notify()
        self._close(unused)

    def _take_unused(self) -> list[_Line]:
        """All that rest when there are no pollers; else one from time to time, but never the last."""
        unused: list[_Line] = []
        if not self._users:
            unused, self._idle = self._idle, []
            self._lately = Lately()
        elif self._idle and self._count > 1 and time.monotonic() >= self._trim_at_s:
            unused.append(self._idle.pop(0))
            self._trim_at_s = time.monotonic() + TRIED_S
        self._count -= len(unused)
        return unused

    def _close(self, lines: list[_Line]) -> None:
        for line in lines:
            close(line.wrapper)


FOLLOWING: Final = Lane("following", 4, lock_timeout_s=0.5)
"""Of those that bring changes to this process: each may have one, if need be, and none waits long for a lock."""
WRITING: Final = Lane("writing", 3)
"""Of all others: what they have to do may wait."""
