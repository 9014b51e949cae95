"""Whose requests are counted together."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.counting import address_key, bucket_key
from authproxy.identity import Identity
from resilience.policies import QuotaPolicy

ADA = Identity(method="jwt", consumer="ada")
BOT = Identity(method="api_key", consumer="bot", key_id=7)


def key(*keys: str, identity: Identity | None = None, address: str = "1.2.3.4", **headers: str) -> str:
    """The key of a bucket for a request of that caller, from that address, with those header fields."""
    fields = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    exchange: Any = SimpleNamespace(
        identity=identity,
        origin=SimpleNamespace(client_ip=address),
        route=SimpleNamespace(name="r"),
        scope={"headers": fields},
    )
    return bucket_key(QuotaPolicy("q", 1, 1.0, keys=keys), exchange, service="s")


@pytest.mark.parametrize(
    ("keys", "identity", "expected"),
    [
        (("consumer",), ADA, "consumer:ada"),
        (("consumer",), None, "ip:1.2.3.4"),
        (("ip",), ADA, "ip:1.2.3.4"),
        (("api_key",), BOT, "api_key:7"),
        (("api_key",), ADA, "ip:1.2.3.4"),
        (("route",), None, "route:r"),
        (("service",), None, "service:s"),
        (("global",), None, "global"),
        (("header:X-Team",), None, "header:X-Team=red"),
        (("header:x-other",), None, "ip:1.2.3.4"),
        (("route", "consumer"), ADA, "route:r|consumer:ada"),
    ],
)
def test_keys(keys: tuple[str, ...], identity: Identity | None, expected: str) -> None:
    """What a request does not have, its address stands for."""
    assert key(*keys, identity=identity, x_team="red") == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("no:address", "no:address"),
        ("", ""),
    ],
)
def test_addresses(address: str, expected: str) -> None:
    """A customer has a /64 of IPv6, and would have 18 quintillion quotas else."""
    assert address_key(address) == expected
    assert address_key(address) == expected


def test_addresses_that_are_remembered_are_bounded() -> None:
    """Clients may have any."""
    for number in range(1, 5000):
        assert address_key(f"2001:db8:{number:x}::1") == f"2001:db8:{number:x}::/64"


def test_credentials_are_not_shown() -> None:
    """Buckets are shown to people and kept in Redis."""
    found = key("header:Authorization", authorization="Bearer secret")
    assert found.startswith("header:Authorization=%")
    assert "secret" not in found
    assert found != key("header:Authorization", authorization="Bearer other")


@given(st.lists(st.text(st.sampled_from("a|%7C"), max_size=300), min_size=2, max_size=2, unique=True))
def test_nobody_can_write_somebody_else_s_key(values: list[str]) -> None:
    """Neither with bars nor with what stands for them nor by length."""
    one, other = (key("header:x-a", "route", x_a=value) for value in values)
    assert one != other
    assert len(one) < 260
    assert one.count("|") == 1
