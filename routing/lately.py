"""D: The numbers that say whether there is anything new, asked for by all pollers of a process together.

Each asks five times a second for one number, which hardly ever changes. What one asks brings what the others asked
before as well, in one statement, and whoever comes soon afterwards takes it from there.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import DatabaseError, ProgrammingError, connection, models

LATELY_S: Final = 0.15
"""How old an answer may be; who was woken takes none that is older than that."""
APART_S: Final = 5.0
"""For so long each asks for itself, when one's table is locked or gone."""
_LOCK_NOT_AVAILABLE: Final = "55P03"  # PostgreSQL documentation, appendix A
_here = threading.local()


class Lately:
    """What was asked for, and what was answered last. A question is a SELECT of one value."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._questions: tuple[str, ...] = ()
        self._answers: dict[str, Any] = {}
        self._asked_at = self._apart_until = float("-inf")

    def answers(self, questions: tuple[str, ...], since_s: float) -> tuple[Any, ...]:
        """In the order of the questions; none that was asked for before `since_s`, by the monotonic clock."""
        with self._lock:
            known = self._questions
            if self._asked_at >= since_s and all(question in self._answers for question in questions):
                return tuple(self._answers[question] for question in questions)
        at = time.monotonic()
        found = self._found(
            {*known, *questions} if at > self._apart_until else set(questions), set(questions)
        )
        with self._lock:
            if at > self._asked_at:
                self._asked_at, self._answers = at, found
                self._questions = tuple({*self._questions, *questions})
        return tuple(found[question] for question in questions)

    def _found(self, asked: set[str], wanted: set[str]) -> dict[str, Any]:
        """If it is for a table that the others ask about, they are not asked for a while."""
        try:
            return _found(asked)
        except DatabaseError as error:
            if asked == wanted or not _is_about_a_table(error):
                raise
        self._apart_until = time.monotonic() + APART_S
        return _found(wanted)


@contextmanager
def asking_lately(lately: Lately, *, since_s: float) -> Iterator[None]:
    """What this thread asks in here may be answered by `lately`."""
    _here.place = lately, since_s
    try:
        yield
    finally:
        _here.place = None


def answers(*questions: str) -> tuple[Any, ...]:
    """From a poller's thread, of a moment ago; from any other, of now."""
    place = getattr(_here, "place", None)
    if place is None:
        found = _found(questions)
        return tuple(found[question] for question in questions)
    lately, since_s = place
    return lately.answers(questions, since_s)  # type: ignore[no-any-return]


def newest_of(model: type[models.Model], *, seen: int | None) -> int:
    """The highest key, 0 without any. One below `seen` is of now: then the database is another one."""
    table, column = model._meta.db_table, model._meta.pk.column
    return number(f'SELECT MAX("{column}") FROM "{table}"', seen=seen)  # noqa: S608 - names of columns


def number(question: str, *, seen: int | None) -> int:
    """What only ever grows, 0 where there is nothing. One below `seen` is of now."""
    newest: int = answers(question)[0] or 0
    if seen is not None and newest < seen:
        newest = _found((question,))[question] or 0
    return newest


def _is_about_a_table(error: DatabaseError) -> bool:
    """It is not there, in another version's schema, or somebody keeps it locked."""
    is_locked = getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE
    return is_locked or isinstance(error, ProgrammingError)


def _found(questions: Iterable[str]) -> dict[str, Any]:
    ordered = sorted(questions)
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"({question})" for question in ordered))
        return dict(zip(ordered, cursor.fetchone(), strict=True))
