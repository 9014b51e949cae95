"""Header fields on the way through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy import headers
from routing.snapshot import HeaderOps

NAMES = st.from_regex(rb"[a-z][a-z0-9-]{0,20}", fullmatch=True)
VALUES = st.binary(max_size=30)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=20)


@given(PAIRS)
def test_what_passes_keeps_its_order_and_its_duplicates(pairs: list[tuple[bytes, bytes]]) -> None:
    """What goes on is a subsequence of what came; nothing is invented, nothing is reordered."""
    passed = headers.read(pairs).passed
    rest = iter(pairs)

    assert all(pair in rest for pair in passed)


@given(PAIRS)
def test_no_hop_by_hop_field_ever_passes(pairs: list[tuple[bytes, bytes]]) -> None:
    """RFC 9110 section 7.6.1, in both directions."""
    for passed in (headers.read(pairs).passed, headers.response_headers(pairs)):
        names = {name for name, _ in passed}

        assert not names & {b"connection", b"keep-alive", b"te", b"transfer-encoding", b"upgrade"}


@pytest.mark.parametrize(
    "name",
    [
        b"x-user-id",
        b"x_user_id",
        b"x-user_id",
        b"x_user-id",
        b"x_consumer",
        b"x-auth_method",
        b"x-user-scopes",
    ],
)
def test_a_client_cannot_state_an_identity(name: bytes) -> None:
    """Identity fields are dropped in every spelling that a CGI-style upstream would confuse."""
    assert headers.read([(name, b"admin"), (b"accept", b"*/*")]).passed == [(b"accept", b"*/*")]


def test_fields_named_in_connection_are_removed() -> None:
    """What a client declares hop-by-hop ends here, whatever the order."""
    pairs = [(b"x-a", b"1"), (b"connection", b"X-A, close"), (b"x-b", b"2"), (b"x-a", b"3")]

    assert headers.read(pairs).passed == [(b"x-b", b"2")]
    assert headers.response_headers(pairs) == [(b"x-b", b"2")]


@pytest.mark.parametrize(
    "name", [b"authorization", b"cookie", b"content-type", b"x-api-key", b"x_api_key", b"content-encoding"]
)
def test_connection_cannot_remove_what_is_end_to_end(name: bytes) -> None:
    """A client cannot have credentials or framing dropped on the way."""
    head = headers.read([(name, b"v"), (b"connection", name)])

    assert [*head.passed, *(head.credentials or ())] == [(name, b"v")]


def test_credentials_are_set_aside_in_their_order() -> None:
    """They may have to end at the gateway; a request without any says so by None."""
    pairs = [(b"cookie", b"a=1"), (b"accept", b"*/*"), (b"x_api-key", b"k"), (b"authorization", b"Basic x")]
    head = headers.read(pairs)

    assert head.passed == [(b"accept", b"*/*")]
    assert head.credentials == [pairs[0], pairs[2], pairs[3]]
    assert headers.read(pairs[1:2]).credentials is None


@pytest.mark.parametrize("value", [b"content-length", b"Content-Length, host", b"transfer-encoding"])
def test_connection_cannot_touch_framing(value: bytes) -> None:
    """`Connection: Content-Length` does not make the gateway forget the length."""
    head = headers.read([(b"host", b"h"), (b"content-length", b"5"), (b"connection", value)])

    assert head.content_length == b"5"
    assert head.host == b"h"
    assert head.has_body


@pytest.mark.parametrize(
    ("pairs", "has_body"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"1")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_a_body_is_announced_by_its_framing(pairs: list[tuple[bytes, bytes]], has_body: bool) -> None:
    """RFC 9112 section 6.3: a request has a body if and only if it says how long."""
    assert headers.read(pairs).has_body is has_body


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"abc-123", True),
        (b"a" * 128, True),
        (b"a" * 129, False),
        (b"", False),
        (b"a b", False),
        (b"a\xff", False),
        (b'a"', False),
    ],
)
def test_a_request_id_is_kept_only_if_it_is_sane(value: bytes, kept: bool) -> None:
    """An id that could break a log line or a header is dropped."""
    assert headers.read([(b"x-request-id", value)]).request_id == (value if kept else b"")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        (b"00-00000000000000000000000000000000-b7ad6b7169203331-01", False),
        (b"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", False),
        (b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", False),
        (b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", False),
        (b"nonsense", False),
    ],
)
def test_a_trace_context_is_kept_only_if_it_is_valid(value: bytes, kept: bool) -> None:
    """W3C Trace Context section 3.2.2."""
    assert headers.read([(b"traceparent", value)]).traceparent == (value if kept else b"")


def test_te_trailers_is_noted() -> None:
    """The client's readiness for trailers is remembered; TE itself is not passed."""
    head = headers.read([(b"te", b"gzip, Trailers")])

    assert head.trailers
    assert head.passed == []


def test_forwarding_fields_are_set_aside() -> None:
    """What a proxy claims is neither passed on nor believed here."""
    head = headers.read(
        [(b"x-forwarded-for", b"1.2.3.4"), (b"forwarded", b"for=1.2.3.4"), (b"x-real-ip", b"6.6.6.6")]
    )

    assert head.passed == []
    assert head.forwarding == [
        (b"x-forwarded-for", b"1.2.3.4"),
        (b"forwarded", b"for=1.2.3.4"),
        (b"x-real-ip", b"6.6.6.6"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        b"x-forwarded-port",
        b"x-forwarded-ssl",
        b"x-forwarded-user",
        b"x-forwarded-client-cert",
        b"x_forwarded_for",
        b"x-forwarded_proto",
        b"x_real_ip",
    ],
)
def test_the_whole_family_of_forwarding_fields_is_set_aside(name: bytes) -> None:
    """Upstreams believe more of them than there are standards; a client's word is none of them."""
    head = headers.read([(name, b"v"), (b"x-forward", b"no relative")])

    assert head.passed == [(b"x-forward", b"no relative")]
    assert head.forwarding == [(name, b"v")]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients invent names; the memory of ordinary ones does not grow with them, and holds none that is long."""
    remembered: set[bytes] = set()
    monkeypatch.setattr(headers, "_ordinary", remembered)
    for number in range(10_000):
        headers.read([(b"x-%d" % number, b""), (b"y" * 60_000, b"")])

    assert len(remembered) <= 4096
    assert max(map(len, remembered)) < 100


def test_the_upstreams_request_id_gives_way() -> None:
    """The answer carries the gateway's ids, not a second pair."""
    assert headers.response_headers(
        [(b"x-request-id", b"u"), (b"set-cookie", b"a"), (b"set-cookie", b"b")]
    ) == [
        (b"set-cookie", b"a"),
        (b"set-cookie", b"b"),
    ]


def test_operations_remove_then_set_then_add() -> None:
    """`set` replaces every occurrence; `add` leaves what is there."""
    ops = HeaderOps(remove=frozenset({b"a"}), set=((b"b", b"new"),), add=((b"c", b"2"),))

    assert headers.apply(ops, [(b"a", b"1"), (b"b", b"1"), (b"b", b"2"), (b"c", b"1")]) == [
        (b"c", b"1"),
        (b"b", b"new"),
        (b"c", b"2"),
    ]


def test_safety_fields_are_added_unless_the_upstream_says_them() -> None:
    """Its own word counts, whatever it is."""
    added = ((b"x-frame-options", b"SAMEORIGIN"), (b"referrer-policy", b"same-origin"))
    said = [(b"x-frame-options", b"DENY"), (b"a", b"1"), (b"connection", b"a")]

    assert headers.response_headers(said, added) == [
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"same-origin"),
    ]
    assert headers.response_headers([(b"a", b"1")], added) == [(b"a", b"1"), *added]


def test_own_fields_take_the_place_of_others_but_for_vary() -> None:
    """An answer may depend on what both say."""
    theirs = [(b"vary", b"Accept"), (b"ratelimit", b"x"), (b"access-control-max-age", b"5"), (b"a", b"1")]
    own = [(b"ratelimit", b"y"), (b"vary", b"Origin")]

    assert headers.with_own(theirs, own, instead_of=headers.CORS_FIELDS) == [
        (b"vary", b"Accept"),
        (b"a", b"1"),
        *own,
    ]
    assert (b"access-control-max-age", b"5") in headers.with_own(theirs, own)
