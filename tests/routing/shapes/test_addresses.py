"""Which addresses may use a route."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.shapes.addresses import (
    AddressPolicy,
    Networks,
    address_note,
    networks_of,
    numbered_address,
)
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

NEAR = st.integers(0, 2**12).map(lambda number: (10 << 24) + number)
V4 = st.one_of(NEAR, st.integers(0, 2**32 - 1)).map(ip_address)
V6 = st.one_of(
    st.integers(0, 2**12).map(lambda number: IPv6Address((0x20010DB8 << 96) + number)),
    st.integers(0, 2**128 - 1).map(IPv6Address),
    V4.map(lambda address: IPv6Address(f"::ffff:{address}")),
)


def policy(**ip: Any) -> AddressPolicy:
    raw = document(route(service="s", ip=ip), services={"s": "http://127.0.0.1:1"})
    found = snapshot_of(raw).routes["r"].shapes.addresses
    assert found is not None
    return found


@st.composite
def networks(draw: st.DrawFn) -> str:
    """Of both versions, often next to each other or one in another."""
    address = draw(st.one_of(V4, V6))
    length = draw(st.integers(0, address.max_prefixlen))
    kind = IPv4Network if address.version == 4 else IPv6Network
    return str(kind((int(address), length), strict=False))


def holds(networks: list[str], text: str) -> bool:
    """The plain reading, by the standard library."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    for written in networks:
        network = IPv6Network(written) if ":" in written else IPv4Network(written)
        if isinstance(network, IPv6Network) and network.prefixlen >= 96:
            mapped = network.network_address.ipv4_mapped
            if mapped is not None:
                network = IPv4Network((mapped, network.prefixlen - 96))
        if address.version == network.version and address in network:
            return True
    return False


@given(st.lists(networks(), max_size=12), st.one_of(V4, V6))
def test_a_set_holds_what_its_networks_hold(written: list[str], address: Any) -> None:
    """Whatever overlaps or touches."""
    numbered = numbered_address(str(address))
    assert numbered is not None
    assert networks_of(written).has(*numbered) == holds(written, str(address))


def test_ten_thousand_networks_agree_with_the_standard_library() -> None:
    """At each network's first and last address, and beside them."""
    rng = Random(7)
    written = [
        str(IPv4Network((rng.getrandbits(32), rng.randint(20, 32)), strict=False)) for _ in range(10_000)
    ]
    found = networks_of(written)
    ranges = sorted((int(n.network_address), int(n.broadcast_address)) for n in map(IPv4Network, written))

    def plainly(number: int) -> bool:
        return any(start <= number <= end for start, end in ranges)

    for start, end in rng.sample(ranges, 40):
        for number in (start - 1, start, end, end + 1):
            if 0 <= number < 2**32:
                assert found.has(4, number) == plainly(number)
    assert found.size == 10_000
    assert len(found.v4.starts) == len(found.v4.ends) <= 10_000


def test_deny_comes_first() -> None:
    """An address in both lists is denied."""
    found = policy(allow=["10.0.0.0/8", "2001:db8::/32"], deny=["10.1.0.0/16"])

    assert found.judge("10.2.0.1") == ""
    assert found.judge("10.1.2.3") == "denied"
    assert found.judge("192.0.2.1") == "not allowed"
    assert found.judge("2001:db8::1") == ""
    assert found.judge("2001:db9::1") == "not allowed"


def test_mapped_addresses_are_version_4() -> None:
    """In requests and in lists."""
    assert policy(allow=["10.0.0.0/8"]).judge("::ffff:10.0.0.1") == ""
    assert policy(allow=["::ffff:10.0.0.0/104"]).judge("10.0.0.1") == ""
    assert policy(deny=["::/0"]).judge("::ffff:10.0.0.1") == ""
    assert policy(deny=["::/0"]).judge("::1") == "denied"


@pytest.mark.parametrize("address", ["", "unknown", "10.0.0", "a" * 100, "10.0.0.1/8"])
def test_what_is_no_address_is_in_no_network(address: str) -> None:
    """So it may come only where everybody may."""
    assert policy(deny=["0.0.0.0/0", "::/0"]).judge(address) == ""
    assert policy(allow=["0.0.0.0/0", "::/0"]).judge(address) == "not allowed"


def test_interface_names_do_not_matter() -> None:
    """A link-local address comes with one."""
    assert policy(allow=["fe80::/10"]).judge("fe80::1%eth0") == ""


def test_no_networks_are_no_policy() -> None:
    """Whatever the mode is."""
    raw = document(route(service="s", ip={"mode": "log"}), services={"s": "http://127.0.0.1:1"})

    assert snapshot_of(raw).routes["r"].shapes.addresses is None


def test_the_note() -> None:
    """It needs an address to judge, and tells those who configure, not those who call."""
    found = policy(allow=["10.0.0.0/8"], deny=["10.1.0.0/16"])
    [unknown] = address_note(found, "route", "")
    [refused] = address_note(found, "route", "192.0.2.1")
    [passed] = address_note(found, "route", "10.0.0.1")

    assert (unknown.outcome, "remark" in unknown.details) == ("pass", True)
    assert (refused.outcome, refused.details["verdict"]) == ("refuse", "not allowed")
    assert (passed.outcome, passed.details["verdict"]) == ("pass", "may pass")
    [logged] = address_note(policy(deny=["0.0.0.0/0"], mode="log"), "defaults", "192.0.2.1")
    assert (logged.outcome, logged.details["verdict"], logged.details["mode"]) == ("pass", "denied", "log")
    assert list(address_note(None, "built-in", "192.0.2.1")) == []
    assert Networks().has(4, 1) is False
