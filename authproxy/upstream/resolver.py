"""I: Host names to socket addresses: remembered, refreshed in the background, kept when the name server fails.

The first request to a name waits for its resolution; later ones never do: an answer older than TTL_S is still used
while a thread asks again. getaddrinfo tells no TTL, so one is set.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from authproxy.upstream.errors import NameResolutionFailed

TTL_S: Final = 30.0
RETRY_S: Final = 5.0
"""How soon to ask again after a failure; meanwhile the old answer, or the failure, stands."""
MAX_NAMES: Final = 4096
_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Address:
    """What a socket connects to."""

    family: int
    sockaddr: tuple[Any, ...]


Addresses = tuple[Address, ...]
Lookup = Callable[[str, int], Sequence[Address]]
"""Blocking; raises OSError (socket.gaierror) if the name has no address."""


@dataclass(slots=True)
class _Entry:
    addresses: Addresses = ()
    failure: str = ""
    fresh_until: float = 0.0
    refresh: "asyncio.Task[None] | None" = field(default=None, repr=False)


class Resolver:
    """A cache of resolved names, for one event loop at a time."""

    def __init__(
        self, *, ttl_s: float = TTL_S, retry_s: float = RETRY_S, lookup: Lookup | None = None
    ) -> None:
        self._ttl_s = ttl_s
        self._retry_s = retry_s
        self._lookup = lookup or system_lookup
        self._entries: dict[tuple[str, int], _Entry] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolve")

    async def resolve(self, host: str, port: int) -> Addresses:
        """The addresses of `host`, at least one. Raises NameResolutionFailed."""
        entry = self._entry(host, port)
        if not entry.addresses and entry.refresh is not None:
            await asyncio.shield(entry.refresh)
        if not entry.addresses:
            raise NameResolutionFailed(f"{host}: {entry.failure}")
        return entry.addresses

    def known(self, host: str, port: int) -> Addresses:
        """The addresses as far as they are known now; asks again behind the scenes when they are old."""
        return self._entry(host, port).addresses

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _entry(self, host: str, port: int) -> _Entry:
        entry = self._entries.get((host, port))
        if entry is None:
            if len(self._entries) >= MAX_NAMES:
                del self._entries[next(iter(self._entries))]
            entry = self._entries[host, port] = _Entry()
        loop = asyncio.get_running_loop()
        pending = entry.refresh
        if pending is not None and (pending.done() or pending.get_loop() is not loop):
            pending = entry.refresh = None
        if pending is None and loop.time() >= entry.fresh_until:
            entry.refresh = loop.create_task(self._refresh(entry, host, port))
        return entry

    async def _refresh(self, entry: _Entry, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, self._lookup, host, port)
        except (OSError, UnicodeError) as failure:  # UnicodeError: no host name at all (IDNA)
            entry.failure = getattr(failure, "strerror", None) or str(failure)
            entry.fresh_until = loop.time() + self._retry_s
            return
        entry.addresses = tuple(dict.fromkeys(found))
        entry.failure = "no address"
        entry.fresh_until = loop.time() + self._ttl_s


def system_lookup(host: str, port: int) -> list[Address]:
    """What the operating system answers, in its order (RFC 6724). Blocks."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [Address(family, sockaddr) for family, _, _, _, sockaddr in found]


@cache
def shared_resolver() -> Resolver:
    """The process's resolver: services on the same host share its answers."""
    return Resolver()
