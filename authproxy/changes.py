"""P: Which callers' standing changed, and since when: what decides that a credential no longer counts.

Theory of operation. Every change (a key revoked, a session ended, an account disabled or given another role) is a
row with a growing number and a subject. Each worker keeps, for a while, the newest number of every subject. An
identity carries the subjects that it rests on and the number that it reflects; it is stale when one of its subjects
changed after that. A token that carries no number is judged by its time of issue instead.

Entries are kept as long as a token may live that was issued before them. When there are more than `limit`, the
oldest go early, and `floor` and `floor_at` rise to where they were: whatever is older than that counts as stale.
So forgetting makes callers sign in again; it never lets anybody in.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from authproxy.identity import Identity

EVERYBODY: Final = "all"
LASTING: Final = ("user:", "consumer:", EVERYBODY)
Listener = Callable[[tuple[str, ...]], None]


class Change(NamedTuple):
    """`at` is in epoch seconds."""

    number: int
    subject: str
    at: float


def is_lasting(subject: str) -> bool:
    """Whether tokens from elsewhere may rest on the subject, and so live longer than the gateway's own."""
    return subject.startswith(LASTING)


class Changes:
    """What one worker knows. `epoch` is another number after each change, so that caches know when to look again."""

    __slots__ = ("_by_subject", "_limit", "_listeners", "epoch", "floor", "floor_at", "newest")

    def __init__(self, *, limit: int = 200_000) -> None:
        self._by_subject: OrderedDict[str, Change] = OrderedDict()
        self._limit = limit
        self._listeners: list[Listener] = []
        self.epoch = 0
        self.newest = 0
        self.floor = 0
        self.floor_at = 0.0

    def subscribe(self, listener: Listener) -> None:
        """Calls `listener(subjects)` after each batch: open connections end by it."""
        self._listeners.append(listener)

    def note(self, changes: Iterable[Change]) -> None:
        """Takes in changes, in any order and more than once."""
        fresh = []
        for change in changes:
            known = self._by_subject.get(change.subject)
            if known is None or known.number < change.number:
                if known is not None and known.at > change.at:  # the clock was set back in between
                    change = change._replace(at=known.at)
                self._by_subject[change.subject] = change
                self._by_subject.move_to_end(change.subject)
                fresh.append(change.subject)
            self.newest = max(self.newest, change.number)
        while len(self._by_subject) > self._limit:
            self._raise_floor(self._by_subject.popitem(last=False)[1])
        if fresh:
            self.epoch += 1
            for listener in self._listeners:
                listener(tuple(fresh))

    def forget(self, before: float, *, brief_before: float | None = None) -> None:
        """Drops what happened before that time; every token that it concerned has expired.

        What only the gateway's own short-lived tokens name may go earlier, at `brief_before`. The floor rises for
        identities with a number: one that was kept unused for so long has missed what is dropped here.
        """
        latest = before if brief_before is None else max(before, brief_before)
        old: list[Change] = []
        for change in self._by_subject.values():
            if change.at >= latest:
                break
            if change.at < before or not is_lasting(change.subject):
                old.append(change)
        for change in old:
            del self._by_subject[change.subject]
            self.floor = max(self.floor, change.number)

    def is_stale(self, identity: Identity) -> bool:
        """Whether something that `identity` rests on has changed since."""
        if self._is_older(identity, self.floor, self.floor_at):
            return True
        if not self._by_subject:
            return False
        for subject in (*identity.subjects, EVERYBODY):
            change = self._by_subject.get(subject)
            if change is not None and self._is_older(identity, change.number, change.at):
                return True
        return False

    @staticmethod
    def _is_older(identity: Identity, number: int, at: float) -> bool:
        if identity.seq is not None:
            return identity.seq < number
        return identity.issued_at < at

    def _raise_floor(self, forgotten: Change) -> None:
        self.floor = max(self.floor, forgotten.number)
        self.floor_at = max(self.floor_at, forgotten.at)
