"""Addresses that a service may register, and those that lead to the gateway, to metadata, or to nobody."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.leaseaddresses import Premises, clean_host, unfit, unfit_host

PORT = 8000
HERE = "198.51.100.7"
PRODUCTION = Premises(
    allows_loopback=False,
    ports=frozenset({PORT}),
    names=frozenset({"gateway.test"}),
    is_here=lambda address: address == HERE,
)
DEVELOPMENT = Premises(allows_loopback=True, ports=frozenset({PORT}))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("context-service", "context-service"),
        ("Context_Service.Internal.", "context_service.internal"),
        ("10.0.0.7", "10.0.0.7"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", None),
        ("[10.0.0.7", None),
        ("[name]", None),
        ("host:80", None),
        ("a/b", None),
        ("a@b", None),
        ("a b", None),
        ("ex\u00e4mple", None),
        ("*.example.com", None),
        ("fe80::1%eth0", None),
        ("a" * 64, None),
        (".".join(["a" * 60] * 5), None),
        ("2130706433", None),
        ("0x7f000001", None),
        ("0x7f.1", None),
        ("127.1", None),
        ("10.0.0.07", None),
        ("name.1", None),
    ],
)
def test_clean_host(text: str, host: str | None) -> None:
    """Names and addresses in one spelling; what a resolver would take for an address in disguise is neither."""
    assert clean_host(text) == host


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("10.0.0.7", None),
        ("192.168.1.1", None),
        ("203.0.113.9", None),
        ("2001:db8::1", None),
        ("fd12::1", None),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("255.255.255.255", "reserved"),
        ("240.0.0.1", "reserved"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("169.254.1.1", "link_local"),
        ("fe80::1", "link_local"),
        ("fe80::1%eth0", "link_local"),
        ("169.254.169.254", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("100.100.100.200", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("2002:a9fe:a9fe::1", "metadata"),
        ("::169.254.169.254", "metadata"),
        ("127.0.0.1", "loopback"),
        ("127.9.9.9", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("name", "host"),
    ],
)
def test_addresses(address: str, reason: str | None) -> None:
    """Private networks are where services are; what no service can be is refused, however it is written."""
    found = unfit(address, 9000, PRODUCTION)
    assert (found and found.reason) == reason
    assert found is None or address in found.message


@pytest.mark.parametrize(
    ("host", "port", "premises", "reason"),
    [
        (HERE, PORT, PRODUCTION, "itself"),
        (HERE, 9000, PRODUCTION, None),
        (f"::ffff:{HERE}", PORT, PRODUCTION, "itself"),
        ("198.51.100.8", PORT, PRODUCTION, None),
        ("198.51.100.8", PORT, DEVELOPMENT, None),
        ("127.0.0.1", PORT, PRODUCTION, "itself"),
        ("127.0.0.1", PORT, DEVELOPMENT, "itself"),
        ("127.0.0.1", 9000, DEVELOPMENT, None),
        ("169.254.169.254", PORT, DEVELOPMENT, "metadata"),
        ("gateway.test", PORT, PRODUCTION, "itself"),
        ("gateway.test", 9000, PRODUCTION, None),
        ("localhost", PORT, DEVELOPMENT, "itself"),
        ("localhost", 9000, DEVELOPMENT, None),
        ("localhost", 9000, PRODUCTION, "loopback"),
        ("x.localhost", 9000, PRODUCTION, "loopback"),
        ("metadata.google.internal", 80, DEVELOPMENT, "metadata"),
        ("orders", 9000, PRODUCTION, None),
    ],
)
def test_hosts(host: str, port: int, premises: Premises, reason: str | None) -> None:
    """The gateway's own port on its own machine is a circle; loopback is for development."""
    found = unfit_host(host, port, premises)
    assert (found and found.reason) == reason


@given(st.integers(0, 2**32 - 1).map(IPv4Address), st.integers(1, 65_535))
def test_an_address_in_disguise_is_judged_alike(address: IPv4Address, port: int) -> None:
    """Mapped and translated forms are the address that they stand for."""
    plain = unfit(str(address), port, PRODUCTION)
    for form in (f"::ffff:{address}", str(IPv6Address((0x64FF9B << 96) | int(address)))):
        found = unfit(form, port, PRODUCTION)
        assert (found and found.reason) == (plain and plain.reason)


@given(st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    """What comes out is read as itself again, and never holds what would end a URL's host."""
    host = clean_host(text)
    if host is not None:
        assert clean_host(host) == host
        assert not set(host) & set("/@?#[]% \\")
