"""I: TLS sessions that later connections resume, one for each target: no certificates, no signatures, half the work.

A resumed handshake shows that the other side still has the keys of an earlier one, whose certificate was verified. That
the certificate is still good it does not show. So a session counts for five minutes from its full handshake, or for
less if the server says so; then, and after a failure, the handshake is a full one. A server that refuses is not asked
again for as long. What is offered each time is the session of the full handshake, though newer tickets may have come:
to copy one takes a quarter of a millisecond. RFC 8446 sections 2.2 and 4.6.1, RFC 5077.
"""

import ssl
from collections.abc import Container, Hashable
from typing import Final, NamedTuple, cast
from weakref import WeakSet

SESSION_S: Final = 300.0
MOST_SESSIONS: Final = 8192


class _Kept(NamedTuple):
    context: ssl.SSLContext
    session: ssl.SSLSession | None
    """None: the server refused to resume, and is not asked to before `until`."""
    until: float


class Sessions:
    """Of connections that all ask for the same name and the same authorities. Targets are told apart by any value.

    Times are the loop's.
    """

    def __init__(self, *, session_s: float = SESSION_S, most: int = MOST_SESSIONS) -> None:
        self._session_s = session_s
        self._most = most
        self._kept: dict[Hashable, _Kept] = {}
        self._offered: WeakSet[ssl.SSLObject] = WeakSet()

    def __len__(self) -> int:
        return len(self._kept)

    def offering(self, target: Hashable, context: ssl.SSLContext, now: float) -> ssl.SSLContext:
        """A context for one connection, which offers the target's session if there is one.

        Another context than before, because a file with authorities was replaced, begins anew.
        """
        kept = self._kept.get(target)
        if kept is None:
            return context
        if now >= kept.until or kept.context is not context:
            del self._kept[target]
            return context
        # Event loops take no session. Of a context they call this one method.
        if kept.session is None:
            return context
        return cast("ssl.SSLContext", _Offer(context, kept.session, self._offered))

    def learn(self, target: Hashable, tls: ssl.SSLObject, now: float) -> None:
        """A connection to the target has brought an answer: of TLS 1.3, the ticket has come by then."""
        if tls.session_reused:
            return
        kept = self._kept.get(target)
        if kept is None:
            self._keep(target, tls, now)
        elif tls in self._offered:  # else it began before there was a session
            self._kept[target] = _Kept(kept.context, None, now + self._session_s)

    def _keep(self, target: Hashable, tls: ssl.SSLObject, now: float) -> None:
        session = tls.session
        if session is None:
            return
        if len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        granted = session.ticket_lifetime_hint or session.timeout
        self._kept[target] = _Kept(tls.context, session, now + min(self._session_s, granted))

    def forget(self, target: Hashable) -> None:
        """The next handshake with it is a full one."""
        self._kept.pop(target, None)

    def keep_only(self, targets: Container[Hashable]) -> None:
        """All others are gone."""
        self._kept = {target: kept for target, kept in self._kept.items() if target in targets}


class _Offer:
    """In an SSLContext's place for one connection."""

    __slots__ = ("_context", "_offered", "_session")

    def __init__(
        self, context: ssl.SSLContext, session: ssl.SSLSession, offered: WeakSet[ssl.SSLObject]
    ) -> None:
        self._context = context
        self._session = session
        self._offered = offered

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
    ) -> ssl.SSLObject:
        made = self._context.wrap_bio(incoming, outgoing, server_side, server_hostname, self._session)
        self._offered.add(made)
        return made
