"""What consistent hashing goes by."""

from types import SimpleNamespace
from typing import Any

import pytest

from authproxy.hashing import hash_key_of
from authproxy.identity import Identity
from resilience.policies import BalancingPolicy

HEADERS = [(b"x-user", b"u1"), (b"cookie", b"a=1; sid = s1; sid=s2"), (b"x-empty", b"")]


@pytest.mark.parametrize(
    ("hash_on", "identity", "key"),
    [
        ("ip", None, b"1.2.3.4"),
        ("header:X-User", None, b"u1"),
        ("header:x-none", None, b"1.2.3.4"),
        ("header:x-empty", None, b"1.2.3.4"),
        ("cookie:sid", None, b"s1"),
        ("cookie:si", None, b"1.2.3.4"),
        ("cookie:none", None, b"1.2.3.4"),
        ("consumer", Identity(method="jwt", consumer="åda"), "åda".encode()),
        ("consumer", None, b"1.2.3.4"),
    ],
)
def test_keys(hash_on: str, identity: Identity | None, key: bytes) -> None:
    """What a request does not have, its address stands for."""
    exchange: Any = SimpleNamespace(
        identity=identity, origin=SimpleNamespace(client_ip="1.2.3.4"), scope={"headers": HEADERS}
    )
    hash_key = hash_key_of(BalancingPolicy("consistent_hash", hash_on=hash_on))
    assert hash_key is not None
    assert hash_key(exchange) == key


def test_nothing_is_hashed_elsewhere() -> None:
    """Other policies need no key."""
    assert hash_key_of(BalancingPolicy("random")) is None
