"""P: Tokens that a WebSocket handshake carries where a browser can put them: in the query, or among the subprotocols.

Browsers let pages set no header field of a handshake. So `?token=TOKEN` and the subprotocols `bearer, TOKEN` count as
`Authorization`, unless there is one; they end here in any case: neither logs nor upstreams see them.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from authproxy.headers import Pair
from authproxy.tickets import API_KEY

BEARER: Final = "bearer"
"""The subprotocol that is answered to who offered it with a token."""
SUBPROTOCOL: Final = b"sec-websocket-protocol"
_AUTHORIZATION: Final = b"authorization"
_TOKEN: Final = b"token="
_KEY: Final = f"{API_KEY}_".encode()


class Lifted(NamedTuple):
    """What of the scope is another, and whether the client wants `bearer` for an answer."""

    changes: Mapping[str, Any]
    wants_bearer: bool


_NOTHING: Final = Lifted({}, False)


def lift(scope: Mapping[str, Any]) -> Lifted:
    """The handshake with its token where requests have theirs."""
    query, token = _of_query(scope.get("query_string", b""))
    offered = list(scope.get("subprotocols", ()))
    wants_bearer = len(offered) > 1 and offered[0].lower() == BEARER
    if token is None and not wants_bearer:
        return _NOTHING
    headers: list[Pair] = list(scope["headers"])
    if wants_bearer:
        token = token or offered[1].encode("latin-1")
        offered = offered[2:]
        headers = [pair for pair in headers if pair[0] != SUBPROTOCOL]
        if offered:
            headers.append((SUBPROTOCOL, ", ".join(offered).encode("latin-1")))
    if token and not any(name == _AUTHORIZATION for name, _ in headers):
        scheme = b"ApiKey " if token.startswith(_KEY) else b"Bearer "
        headers.append((_AUTHORIZATION, scheme + token))
    return Lifted({"headers": headers, "query_string": query, "subprotocols": offered}, wants_bearer)


def _of_query(query: bytes) -> tuple[bytes, bytes | None]:
    """The query without its token, and the token; None: there was none."""
    if _TOKEN not in query:
        return query, None
    parts = query.split(b"&")
    found = [part for part in parts if part.startswith(_TOKEN)]
    if not found:
        return query, None
    rest = b"&".join(part for part in parts if not part.startswith(_TOKEN))
    return rest, unquote_to_bytes(found[0].removeprefix(_TOKEN))
