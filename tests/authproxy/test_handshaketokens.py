"""Tokens of handshakes, from where browsers can put them."""

from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers

from authproxy.handshaketokens import SUBPROTOCOL, lift
from tests.support.callers import Callers, gatekeeper
from tests.support.sockets import echo, line


def lifted(
    *, query: bytes = b"", offered: tuple[str, ...] = (), **fields: str
) -> tuple[dict[str, Any], bool]:
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    if offered:
        headers.append((SUBPROTOCOL, ", ".join(offered).encode()))
    scope = {"headers": headers, "query_string": query, "subprotocols": list(offered)}
    found = lift(scope)
    return {**scope, **found.changes}, found.wants_bearer


@pytest.mark.parametrize(
    ("query", "rest", "authorization"),
    [
        (b"token=abc", b"", b"Bearer abc"),
        (b"a=1&token=a%2Bc&b=2", b"a=1&b=2", b"Bearer a+c"),
        (b"token=tor_x", b"", b"ApiKey tor_x"),
        (b"token=x&token=y", b"", b"Bearer x"),
        (b"token=", b"", None),
        (b"a=1&mytoken=2", b"a=1&mytoken=2", None),
        (b"", b"", None),
    ],
)
def test_of_the_query(query: bytes, rest: bytes, authorization: bytes | None) -> None:
    scope, wants_bearer = lifted(query=query)

    assert scope["query_string"] == rest
    assert dict(scope["headers"]).get(b"authorization") == authorization
    assert not wants_bearer


def test_of_the_subprotocols() -> None:
    """What is left of them goes on."""
    scope, wants_bearer = lifted(offered=("bearer", "abc", "chat", "v2"))

    assert wants_bearer
    assert scope["subprotocols"] == ["chat", "v2"]
    assert dict(scope["headers"]) == {b"authorization": b"Bearer abc", SUBPROTOCOL: b"chat, v2"}


def test_others_are_left_alone() -> None:
    scope, wants_bearer = lifted(offered=("chat", "bearer"))

    assert (scope["subprotocols"], wants_bearer) == (["chat", "bearer"], False)
    assert b"authorization" not in dict(scope["headers"])


def test_a_field_counts_more() -> None:
    """Still the token ends here."""
    scope, _ = lifted(query=b"token=abc", offered=("bearer", "def"), authorization="Bearer real")

    assert scope["headers"] == [(b"authorization", b"Bearer real")]
    assert scope["query_string"] == b""


@pytest.mark.parametrize(
    ("path", "offered", "answered", "forwarded"),
    [
        ("/live?a=1&token=ada", None, None, None),
        ("/live?a=1", ["bearer", "ada"], "bearer", None),
        ("/live?a=1", ["bearer", "ada", "chat"], "chat", "chat"),
    ],
)
async def test_of_a_routes_handshake(
    path: str, offered: list[str] | None, answered: str | None, forwarded: str | None
) -> None:
    """They let the caller in, and end here; the service is told who calls."""
    seen: list[tuple[str, Headers]] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.append((socket.request.path, socket.request.headers))
        await echo(socket)

    callers = Callers()
    callers.token("ada", consumer="ada", user_id="7")
    known: dict[str, Any] = {
        "auth": {"level": "user"},
        "plane": {"keeper": gatekeeper(callers)},
        "server": {"subprotocols": ["chat"] if forwarded else None},
    }
    async with line(handler, **known) as there, there.connect(path, subprotocols=offered) as socket:
        await socket.send("x")
        assert await socket.recv() == "x"
        assert socket.subprotocol == answered
    ((asked, headers),) = seen
    assert asked == "/live?a=1"
    assert headers["x-user-id"] == "7"
    assert headers.get("sec-websocket-protocol") == forwarded
    assert "authorization" not in headers
