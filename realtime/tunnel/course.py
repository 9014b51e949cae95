"""I: A proxied connection as a whole: how it ends, and who notices that a peer is silent, stuck or gone.

    a peer closes          its code and reason go on, the other's answer comes back, both connections close
    a peer breaks a rule   it is told so; the other learns that the connection ends (1009 means the same to both)
    a peer vanishes        an upstream sees its connection end, a client gets 1011
    the gateway ends it    `end`: the client gets the code, the upstream 1001

A peer that has been silent for a beat is asked by a ping of the gateway's own, whose answer is no message and goes
nowhere. Who does not answer, or takes nothing of what waits for it, within another beat is cut off.
"""

import asyncio
from typing import Final

from realtime.tunnel import closing
from realtime.tunnel.closing import payload_of
from realtime.tunnel.ends import End
from realtime.tunnel.violation import Violation

BEAT_S: Final = 20.0
CLOSE_S: Final = 5.0
"""How long a peer has for its closing frame (RFC 6455 section 7.1.2 sets no time)."""
_DISCARD_S: Final = 1.0
"""How long the rest of what an offender sends is read and thrown away: a close with unread input is a reset, and could
destroy the closing frame on its way."""
UPSTREAM_LOST: Final = "upstream connection lost"
_OTHERS_FAULT: Final = "the other side broke the protocol"


class Course:
    """One connection. `client` and `upstream` are its two sides; times are the loop's."""

    __slots__ = (
        "_beat_at",
        "_beat_s",
        "_closer",
        "_idle_s",
        "_is_ending",
        "_loop",
        "_moved_at",
        "_over",
        "_timer",
        "client",
        "upstream",
    )

    def __init__(self, client: End, upstream: End, *, idle_s: float, beat_s: float = BEAT_S) -> None:
        self.client = client
        self.upstream = upstream
        client.course = upstream.course = self
        client.other, upstream.other = upstream, client
        self._loop = client.loop
        self._idle_s = idle_s
        self._beat_s = beat_s
        self._is_ending = False
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._closer: asyncio.TimerHandle | None = None
        self._moved_at = self._loop.time()
        self._beat_at = self._moved_at + beat_s
        self._timer = self._loop.call_at(min(self._beat_at, self._moved_at + idle_s), self._look)

    async def over(self) -> None:
        """Returns once both connections are gone. Whoever is cancelled here cuts both off."""
        try:
            await self._over
        finally:
            self._timer.cancel()
            if self._closer is not None:
                self._closer.cancel()
            self.client.abort()
            self.upstream.abort()

    def end(self, code: int, reason: str = "") -> None:
        """Ends it from here. The first reason counts."""
        if self._is_ending:
            return
        self._is_ending = True
        self.client.close(payload_of(code, reason))
        self.upstream.close(payload_of(closing.GOING_AWAY, reason))
        self._allow(CLOSE_S)

    def shutdown(self) -> None:
        """The process is going away: others take over (RFC 6455 section 7.4.1, IANA's 1012)."""
        self.end(closing.SERVICE_RESTART, "restart")

    # Told by the ends

    def moved(self) -> None:
        self._moved_at = self._loop.time()

    def closing_began(self, end: End, payload: bytes) -> None:
        other = end.other
        if not end.close_sent:
            if other.is_lost:
                end.send_close(payload)
                end.hang_up()
                return
            other.send_close(payload)
            self._allow(CLOSE_S)
            return
        if other.close_received:
            other.send_close(payload)
            other.hang_up()
        end.hang_up()

    def violated(self, end: End, violation: Violation) -> None:
        self._is_ending = True
        end.close(payload_of(violation.code, violation.reason))
        if violation.code == closing.TOO_BIG:
            end.other.close(payload_of(closing.TOO_BIG, violation.reason))
        else:
            code = closing.GOING_AWAY if end.is_client else closing.INTERNAL_ERROR
            end.other.close(payload_of(code, _OTHERS_FAULT))
        self._loop.call_later(_DISCARD_S, end.hang_up)
        self._allow(CLOSE_S)

    def lost(self, end: End) -> None:
        other = end.other
        if other.is_lost:
            if not self._over.done():
                self._over.set_result(None)
        elif self._is_ending:
            pass  # it has its time
        elif other.close_received:  # the answer will never come: its own words are repeated
            other.send_close(_own_words(other))
            other.hang_up()
        elif not end.close_received:
            self._is_ending = True
            if end.is_client:
                other.hang_up()
            else:
                other.close(payload_of(closing.INTERNAL_ERROR, UPSTREAM_LOST))
                self._allow(CLOSE_S)

    # Time

    def _allow(self, seconds: float) -> None:
        """Both have so long to end in good order."""
        if self._closer is None:
            self._closer = self._loop.call_later(seconds, self._hang_up)

    def _hang_up(self) -> None:
        for end in (self.client, self.upstream):
            if end.close_received:
                end.send_close(_own_words(end))
            end.hang_up()

    def _look(self) -> None:
        now = self._loop.time()
        if now >= self._moved_at + self._idle_s:
            self.end(closing.GOING_AWAY, "idle timeout")
            return
        if now >= self._beat_at:
            self._beat_at = now + self._beat_s
            self._beat(self.client)
            self._beat(self.upstream)
        self._timer = self._loop.call_at(min(self._beat_at, self._moved_at + self._idle_s), self._look)

    def _beat(self, end: End) -> None:
        if end.is_stuck():
            end.abort()
        elif end.heard or not end.is_readable:
            end.heard, end.is_asked = False, False
        elif end.is_asked:
            end.abort()
        else:
            end.is_asked = True
            end.ping()


def _own_words(end: End) -> bytes:
    """What the peer's closing frame said, as a payload."""
    code, reason = end.reader.close or (closing.NO_CODE, "")
    return b"" if code == closing.NO_CODE else payload_of(code, reason)
