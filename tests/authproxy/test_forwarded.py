"""Who the client is, and what the upstream is told of it."""

import pytest

from authproxy.forwarded import ForwardingFields, Origin


def origin(peer: str, *claimed: tuple[bytes, bytes], trusted: tuple[str, ...] = ("10.0.0.0/8",)) -> Origin:
    return ForwardingFields(trusted).origin(
        peer=peer, host=b"api.test", scheme="http", claimed=claimed or None
    )


def test_a_direct_client_is_described() -> None:
    """X-Forwarded-For/Host/Proto, Forwarded and Via, and nothing else."""
    assert dict(origin("192.0.2.7").fields) == {
        b"x-forwarded-for": b"192.0.2.7",
        b"x-forwarded-host": b"api.test",
        b"x-forwarded-proto": b"http",
        b"forwarded": b'for=192.0.2.7;host="api.test";proto=http',
        b"via": b"1.1 torana",
    }


def test_an_untrusted_peer_is_not_believed() -> None:
    """Forged fields from the internet disappear."""
    seen = origin("192.0.2.7", (b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-proto", b"https"))

    assert seen.client_ip == "192.0.2.7"
    assert dict(seen.fields)[b"x-forwarded-for"] == b"192.0.2.7"
    assert seen.scheme == "http"


def test_a_trusted_proxy_is_believed() -> None:
    """Its word on address, host and scheme is kept, and its own address is added to the chain."""
    seen = origin(
        "10.0.0.1",
        (b"x-forwarded-for", b"203.0.113.9"),
        (b"x-forwarded-host", b"shop.example"),
        (b"x-forwarded-proto", b"https"),
    )

    assert seen.client_ip == "203.0.113.9"
    assert seen.scheme == "https"
    assert dict(seen.fields)[b"x-forwarded-for"] == b"203.0.113.9, 10.0.0.1"
    assert dict(seen.fields)[b"x-forwarded-host"] == b"shop.example"
    assert dict(seen.fields)[b"forwarded"] == b'for=203.0.113.9, for=10.0.0.1;host="shop.example";proto=https'


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        (b"6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (b"6.6.6.6, 203.0.113.9, 10.1.1.1", "203.0.113.9"),
        (b"10.2.2.2, 10.1.1.1", "10.2.2.2"),
        (b"", "10.0.0.1"),
        (b"garbage", "garbage"),
        (b'"[2001:db8::1]:4711"', "2001:db8::1"),
        (b"203.0.113.9:4711", "203.0.113.9"),
    ],
)
def test_the_chain_is_walked_from_the_right(chain: bytes, client: str) -> None:
    """The first address that is not a trusted proxy is the client; what stands left of it may be forged."""
    assert origin("10.0.0.1", (b"x-forwarded-for", chain)).client_ip == client


def test_forwarded_serves_when_there_is_nothing_else() -> None:
    """RFC 7239's own field is read, and continued."""
    seen = origin("10.0.0.1", (b"forwarded", b'For="[2001:db8::9]";proto=https, for=10.3.3.3'))

    assert seen.client_ip == "2001:db8::9"
    assert dict(seen.fields)[b"forwarded"].endswith(b', for=10.0.0.1;host="api.test";proto=http')


def test_forwarded_alone_tells_scheme_and_host_too() -> None:
    """A proxy that speaks only RFC 7239 is believed as fully as one that speaks X-Forwarded-*."""
    said = b'for=203.0.113.9;proto=http;host=inner, for=10.3.3.3;host="shop.example:8443";proto=HTTPS'
    seen = origin("10.0.0.1", (b"forwarded", said))

    assert seen.scheme == "https"
    assert dict(seen.fields)[b"x-forwarded-proto"] == b"https"
    assert dict(seen.fields)[b"x-forwarded-host"] == b"shop.example:8443"


def test_one_chain_is_told_in_two_languages() -> None:
    """Beside X-Forwarded-For, a Forwarded may be the client's own, passed on unread: it is written anew."""
    seen = origin(
        "10.0.0.1",
        (b"x-forwarded-for", b'2001:db8::9, odd"one, 10.2.2.2'),
        (b"forwarded", b"for=127.0.0.1;proto=https;host=evil.example"),
    )

    assert seen.scheme == "http"
    assert dict(seen.fields)[b"forwarded"] == (
        b'for="[2001:db8::9]", for=unknown, for=10.2.2.2, for=10.0.0.1;host="api.test";proto=http'
    )


def test_what_else_a_trusted_proxy_says_is_passed_on() -> None:
    """X-Forwarded-Port and its relatives, in their own spelling only; an untrusted peer's are dropped."""
    said = ((b"x-forwarded-port", b"8443"), (b"x_forwarded_user", b"root"), (b"x-real-ip", b"203.0.113.9"))

    assert dict(origin("10.0.0.1", *said).fields)[b"x-forwarded-port"] == b"8443"
    assert dict(origin("10.0.0.1", *said).fields)[b"x-real-ip"] == b"203.0.113.9"
    assert b"x_forwarded_user" not in dict(origin("10.0.0.1", *said).fields)
    assert b"x-forwarded-port" not in dict(origin("192.0.2.7", *said).fields)


def test_repeated_fields_are_one_list() -> None:
    """Two X-Forwarded-For fields are the same as one with a comma (RFC 9110 section 5.3)."""
    seen = origin("10.0.0.1", (b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-for", b"10.1.1.1"))

    assert seen.client_ip == "203.0.113.9"


def test_ipv6_peers_are_quoted_and_mapped_ones_are_recognised() -> None:
    """RFC 7239 section 6: IPv6 in brackets and quotes. ::ffff:10.0.0.1 is 10.0.0.1."""
    assert b'for="[2001:db8::1]"' in dict(origin("2001:db8::1").fields)[b"forwarded"]
    assert origin("::ffff:10.0.0.1", (b"x-forwarded-for", b"203.0.113.9")).client_ip == "203.0.113.9"


def test_odd_peers_do_not_break_anything() -> None:
    """No address (a Unix socket), or one that does not parse, is simply not trusted."""
    assert origin("", (b"x-forwarded-for", b"6.6.6.6")).client_ip == ""
    assert origin("not-an-ip").client_ip == "not-an-ip"
    assert b"for=unknown" in dict(origin("").fields)[b"forwarded"]


def test_no_host_is_told_where_there_is_none() -> None:
    """HTTP/1.0 does without; an empty field would be a statement."""
    fields = ForwardingFields().origin(peer="192.0.2.1", host=b"", scheme="http", claimed=None).fields

    assert b"x-forwarded-host" not in dict(fields)
    assert dict(fields)[b"forwarded"] == b"for=192.0.2.1;proto=http"


def test_a_host_cannot_break_out_of_its_quotes() -> None:
    """The Host field is the client's: quotes and backslashes in it are escaped."""
    fields = (
        ForwardingFields()
        .origin(peer="192.0.2.1", host=b'a";for=6.6.6.6;x="', scheme="http", claimed=None)
        .fields
    )

    assert dict(fields)[b"forwarded"] == b'for=192.0.2.1;host="a\\";for=6.6.6.6;x=\\"";proto=http'


def test_the_memory_is_bounded() -> None:
    """Ten thousand clients and hosts leave no more than a few thousand remembered."""
    fields = ForwardingFields(["10.0.0.0/8"])
    for number in range(10_000):
        fields.origin(peer=f"192.0.{number >> 8}.{number & 255}", host=b"h", scheme="http", claimed=None)
        fields.is_trusted(f"10.0.{number >> 8}.{number & 255}")

    fields.is_trusted("1" * 60_000)

    assert len(fields._cache) <= 4096
    assert max(map(len, fields._trusted)) < 100
    assert len(fields._trusted) <= 4096
