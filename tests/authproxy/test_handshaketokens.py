"""Tokens of handshakes, from where browsers can put them."""

from typing import Any

import pytest

from authproxy.handshaketokens import SUBPROTOCOL, lift


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
