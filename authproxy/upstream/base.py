"""P: What the gateway asks of a transport, whichever protocol it speaks: httpx's one method, and control of its pools.

A request's extensions:

    target             bytes: the request target as it is to be sent; default: the URL's path and query
    timeout            {"connect", "read", "write", "pool"}: seconds; a missing one or None: without end
    deadline           loop time by which the answer's head must have arrived; it stands still while a streamed
                       request body is being sent
    fresh              True: on a connection that has not been used before
    upgrade            True: a 101 is an answer (RFC 9110 section 7.8). `ResponseBody.detach` gives its connection
    on_informational   called with (status, header pairs) for each 1xx but 100 and 101 (RFC 9110 section 15.2)

The transport adds, where a connection was opened for the request, whether that came about or not:

    connecting_s       seconds: its address, the connection itself and the handshake

A response's extensions: http_version, reason_phrase (bytes), reused (bool), trailers (callable, after the body's end).
Failures are those of `errors`. Request and response headers are neither added to nor changed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class PoolStats:
    """The connections to one target at one moment."""

    open: int
    """Established, busy or idle."""
    idle: int
    connecting: int
    waiting: int
    """Requests in the queue for a connection."""


class Transport(httpx.AsyncBaseTransport, ABC):
    """A service's connections to its targets."""

    @abstractmethod
    def keep_only(self, urls: Iterable[httpx.URL]) -> None:
        """These are the targets now: idle connections to all others are closed, busy ones after their request."""

    @abstractmethod
    def retire(self) -> None:
        """No target is left. Requests that still come (from an older snapshot) are served, nothing is kept."""

    @abstractmethod
    def stats(self) -> Mapping[str, PoolStats]:
        """Numbers of connections by target."""

    @abstractmethod
    async def aclose(self, *, grace_s: float = 0.0) -> None:
        """Retire, wait up to `grace_s` for requests under way, then fail them."""
