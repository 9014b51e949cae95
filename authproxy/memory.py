"""P: The credentials that one worker has accepted, as many as fit. The oldest goes first."""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from authproxy.credentials import Presented, Source
from authproxy.identity import Identity, Method
from routing.snapshot import CompiledProvider

MOST_KEPT: Final = 131_072
MOST_BYTES: Final = 48 * 1024 * 1024
"""Of the credentials themselves: tokens may have kilobytes, keys have 59 bytes."""
Providers = tuple[CompiledProvider, ...]


class Accepted:
    """A credential that proved who calls, and how long it may do so without another look."""

    __slots__ = ("epoch", "identity", "presented", "providers", "quiet_until", "until")

    def __init__(
        self, identity: Identity, presented: Presented, *, until: float, epoch: int, providers: Providers
    ) -> None:
        self.identity = identity
        self.presented = _place(presented.method, presented.field, presented.cookie)
        self.until = until
        self.epoch = epoch
        self.providers = providers
        self.quiet_until = 0.0
        """Until when a use of it need not be noted again."""

    def __repr__(self) -> str:
        return f"<Accepted {self.identity!r}>"


@lru_cache(maxsize=256)
def _place(method: Method, field: bytes, cookie: bytes) -> Presented:
    """Where a credential stood, without the credential: the same object for all that stood there."""
    return Presented(method, b"", (field, b""), field, cookie)


class Memory:
    """Bounded by number and by size. `find` is a dictionary's."""

    __slots__ = ("_bytes", "_entries", "_most", "_most_bytes", "dropped", "find")

    def __init__(self, *, most: int = MOST_KEPT, most_bytes: int = MOST_BYTES) -> None:
        self._entries: OrderedDict[Source, Accepted] = OrderedDict()
        self._bytes = 0
        self._most = most
        self._most_bytes = most_bytes
        self.find = self._entries.get
        self.dropped = 0
        """How many went for want of room."""

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, source: Source, accepted: Accepted) -> None:
        """Keeps it; the oldest make room."""
        if source in self._entries:
            self.forget(source)
        self._entries[source] = accepted
        self._bytes += len(source[1])
        while len(self._entries) > self._most or self._bytes > self._most_bytes:
            oldest, _ = self._entries.popitem(last=False)
            self._bytes -= len(oldest[1])
            self.dropped += 1

    def forget(self, source: Source) -> None:
        """Lets go of it, if it is there."""
        if self._entries.pop(source, None) is not None:
            self._bytes -= len(source[1])

    def forget_those(self, where: Callable[[Identity], bool]) -> None:
        """Lets go of all whose identity is like that."""
        for source in [source for source, each in self._entries.items() if where(each.identity)]:
            self.forget(source)
