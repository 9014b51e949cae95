"""I: The endpoint `{API_PREFIX}/ws`: who may connect, and from then on a session on the connection itself.

It is an ASGI application below Channels' router, and none of Channels' consumers: see docs/adr.
"""

from typing import Final
from urllib.parse import parse_qsl

from authproxy import problems
from authproxy.credentials import METHODS
from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_IDENTITY, Receive, Scope, Send
from authproxy.handshake import SCOPE_HANDSHAKE, TAKE_OVER, Handshake, TakeOver
from authproxy.handshaketokens import BEARER, SUBPROTOCOL
from authproxy.identity import Identity
from authproxy.problems import Reason
from authproxy.rejections import Code, Rejection
from realtime.denials import deny
from realtime.sessions.rights import ANYBODY
from realtime.sessions.sessions import Sessions

MOST_FIELDS: Final = 50
_NO_SERVER: Final = Rejection(
    Code.SERVICE_UNAVAILABLE, "This server keeps no connections.", details={"reason": "websocket"}
)
_TOO_MANY: Final = Rejection(
    Code.RATE_LIMIT,
    "You have too many connections.",
    details={"reason": "connections"},
    headers=((b"retry-after", b"10"),),
)


class Endpoint:
    """An ASGI application for WebSocket handshakes."""

    def __init__(self, sessions: Sessions, *, realm: str) -> None:
        self._sessions = sessions
        self._realm = realm

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Returns when the handshake is answered: the connection lives on by itself."""
        caller = self._caller(scope)
        if isinstance(caller, Rejection):
            await deny(scope, send, caller)
        elif self._sessions.is_full(caller):
            await deny(scope, send, _TOO_MANY)
        elif TAKE_OVER not in (scope.get("extensions") or ()):
            await deny(scope, send, _NO_SERVER)
        else:
            asked = _query(scope.get("query_string", b""))
            name = await self._sessions.name_for(caller, asked.get("connection_id", ""))
            self._open(scope, caller, name, asked.get("resume_token", ""))

    def _caller(self, scope: Scope) -> Identity | Rejection:
        identity: Identity | None = scope.get(SCOPE_IDENTITY)
        if identity is not None:
            return identity
        if self._sessions.is_open:
            return ANYBODY
        reason: Reason = scope.get(SCOPE_AUTH_FAILURE) or "missing"
        return problems.unauthenticated(reason, methods=METHODS, realm=self._realm)

    def _open(self, scope: Scope, caller: Identity, name: str, resume_token: str) -> None:
        handshake: Handshake | None = scope.get(SCOPE_HANDSHAKE)
        bearer = handshake is not None and handshake.wants_bearer
        leaving = _Leaving()
        take_over: TakeOver = scope["extensions"][TAKE_OVER]
        taken = take_over(leaving, ((SUBPROTOCOL, BEARER.encode()),) if bearer else ())
        if taken is None:
            return
        leaving.sessions = self._sessions
        session = self._sessions.add(taken, caller, name)
        if resume_token:
            session.resume(resume_token, {})


def _query(text: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(text.decode("latin-1"), max_num_fields=MOST_FIELDS))
    except ValueError:
        return {}


class _Leaving:
    """The server's word that the process is going away."""

    sessions: Sessions | None = None

    def shutdown(self) -> None:
        if self.sessions is not None:
            self.sessions.leave()
