"""P: The answers that one process keeps: the least recently used ones go when there are too many, or too many bytes."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from authproxy.caching.entry import Entry, Varying, values_size
from authproxy.caching.keys import URL, Key, Values, Variant, values_of
from authproxy.headers import Pairs

MOST_BYTES: Final = 64 << 20
MOST_ENTRIES: Final = 20_000
MOST_NAMES: Final = 32
"""By which answers of one key are distinguished; a service that names ever others begins anew."""
_MARKER: Final = 300


class Uncached:
    """In place of an answer: the last one was not to be kept, so that nobody waits for the next one of its kind."""

    __slots__ = ("until",)
    size = _MARKER

    def __init__(self, until: float) -> None:
        self.until = until


Kept = Entry | Varying | Uncached


@dataclass(slots=True)
class Counts:
    """Since the start."""

    stored: int = 0
    evicted: int = 0
    """For want of room."""
    purged: int = 0


class Memory:
    """All of one worker's routes together. Nothing is ever handed out under another key than it came under."""

    def __init__(self, *, most_bytes: int = MOST_BYTES, most_entries: int = MOST_ENTRIES) -> None:
        self._most_bytes = most_bytes
        self._most_entries = most_entries
        self._kept: OrderedDict[Key | Variant, Kept] = OrderedDict()
        self._by_url: dict[URL, set[Key | Variant]] = {}
        self._knocked: set[int] = set()
        self.size = 0
        self.counts = Counts()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: Key, *fields: Pairs) -> Entry | Uncached | None:
        """What is kept for a request with these fields, as old as it may be."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        if type(found) is not Varying:
            return found  # type: ignore[return-value]
        variant = (key, values_of(found.names, *fields))
        of_variant = self._kept.get(variant)
        if of_variant is not None:
            self._kept.move_to_end(variant)
        return of_variant  # type: ignore[return-value]

    def names(self, key: Key) -> tuple[bytes, ...] | None:
        """By which fields of requests the answers of a key are distinguished; None: there is no such answer."""
        found = self._kept.get(key)
        return found.names if isinstance(found, Varying) else None

    def put(
        self, key: Key, entry: Entry | Uncached, names: tuple[bytes, ...], *fields: Pairs
    ) -> Values | None:
        """Keeps an answer, under its own values of `names` if it has such. They are answered; None: it has none.

        Names that earlier answers had count as well: what they distinguish is not thrown together.
        """
        known = self.names(key)
        if known is None and not names:
            self._set(key, key.url, entry)
            return None
        together = {*names, *(known or ())}
        if len(together) <= MOST_NAMES:
            names = tuple(sorted(together))
        values = values_of(names, *fields)
        self._set(key, key.url, Varying(names))
        self._set((key, values), key.url, entry)
        return values

    def admits(self, key: Key) -> bool:
        """Whether an answer that can be had again is worth the room of another one.

        While there is room it is; after that, when it was asked for before, not long ago: what is asked for once makes
        nothing go that is asked for often (the doorkeeper of TinyLFU, Einziger et al., ACM TOS 13(4), 2017).
        """
        if len(self._kept) < self._most_entries and self.size < self._most_bytes - (self._most_bytes >> 4):
            return True
        knock = hash(key)
        if key in self._kept or knock in self._knocked:
            return True
        if len(self._knocked) >= self._most_entries:
            self._knocked.clear()
        self._knocked.add(knock)
        return False

    def drop(self, key: Key) -> None:
        """What is kept under a key itself; variants of it are found no more and go in their turn."""
        if key in self._kept:
            self._drop(key)

    def forget_url(self, url: URL) -> int:
        """All answers of one URL, whoever they are for. How many."""
        return self._forget(list(self._by_url.get(url, ())))

    def forget(self, is_meant: Callable[[URL, Entry], bool]) -> int:
        """All answers that `is_meant` says. It looks at each of them: a few milliseconds for tens of thousands."""
        found = [
            key
            for key, kept in self._kept.items()
            if isinstance(kept, Entry) and is_meant(_key_of(key).url, kept)
        ]
        return self._forget(found)

    def clear(self) -> None:
        self.counts.purged += len(self._kept)
        self._kept.clear()
        self._by_url.clear()
        self.size = 0

    def _forget(self, keys: Iterable[Key | Variant]) -> int:
        number = 0
        for key in keys:
            number += isinstance(self._kept[key], Entry)
            self._drop(key)
        self.counts.purged += number
        return number

    def _set(self, key: Key | Variant, url: URL, kept: Kept) -> None:
        if key in self._kept:
            self._drop(key)
        size = _size_of(key, kept)
        if size > self._most_bytes:
            return
        self._kept[key] = kept
        self._by_url.setdefault(url, set()).add(key)
        self.size += size
        self.counts.stored += isinstance(kept, Entry)
        while self.size > self._most_bytes or len(self._kept) > self._most_entries:
            self._drop(next(iter(self._kept)))
            self.counts.evicted += 1

    def _drop(self, key: Key | Variant) -> None:
        kept = self._kept.pop(key)
        self.size -= _size_of(key, kept)
        url = _key_of(key).url
        keys = self._by_url[url]
        keys.discard(key)
        if not keys:
            del self._by_url[url]


def _key_of(key: Key | Variant) -> Key:
    return key if isinstance(key, Key) else key[0]


def _size_of(key: Key | Variant, kept: Kept) -> int:
    own, values = (key, ()) if isinstance(key, Key) else key
    size = kept.size + len(own.url[2]) + len(own.url[3])
    return size + values_size(own.values) + values_size(values) if own.values or values else size
