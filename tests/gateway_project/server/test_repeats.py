"""What is read without the parser is what the parser would have read."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from gateway_project.server.limits import ServerLimits
from gateway_project.server.repeats import Repeats
from tests.gateway_project.server.test_reader import FakeOwner, reader

FIELDS = b"\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n"
LINE = b"GET /a?b=c HTTP/1.1"
LINES = (
    LINE,
    b"HEAD / HTTP/1.1",
    b"POST /form HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"GET /a#b HTTP/1.1",
    b"GET http://other/a HTTP/1.1",
    b"GET /old HTTP/1.0",
    b"M-SEARCH /a HTTP/1.1",
    b"CONNECT a:80 HTTP/1.1",
    b"NOBODY / HTTP/1.1",
    b"GET  / HTTP/1.1",
    b"GET /\xc3\xa4 HTTP/1.1",
    b"GET /" + b"a" * 5000 + b" HTTP/1.1",
    b"\r\nGET / HTTP/1.1",
    b"abcGET / HTTP/1.1",
    b"",
)
BLOCKS = (
    FIELDS,
    b"\r\nHost: b\r\n\r\n",
    b"\r\nHost: a\r\nX: " + b"y" * 5000 + b"\r\n\r\n",
    b"\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    b"\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
    b"\r\nHost: a\r\nContent-Length: 39\r\n\r\n" + LINE + b"\r\nHost: c\r\n\r\n",
    b"\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    b"\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    b"\r\nHost: a\r\nHost: b\r\n\r\n",
    b"\r\nX: no host\r\n\r\n",
    FIELDS + LINE + FIELDS,
    FIELDS[:-2],
)
PIECES = st.one_of(
    st.sampled_from([line + block for line in LINES[:3] for block in BLOCKS]),
    st.builds(bytes.__add__, st.sampled_from(LINES), st.sampled_from(BLOCKS)),
    st.sampled_from((b"abc", b"\r\n", b"0\r\n\r\n", FIELDS)),
    st.builds(lambda target: b"GET /" + target + b" HTTP/1.1" + FIELDS, st.binary(max_size=6)),
)


def outcome(pieces: list[bytes], *, repeats: bool, **limits: int) -> list[Any]:
    """What comes of each piece: a refusal or none, and all that the owner has heard by then."""
    owner = FakeOwner()
    each = reader(owner, **limits)
    if not repeats:
        each._repeats._chances = 0
    heard: list[Any] = []
    for piece in pieces:
        refusal = each.feed(piece)
        scopes = [cycle.scope for cycle in owner.cycles]
        flags = [(cycle.keep_alive, cycle.awaits_continue) for cycle in owner.cycles]
        state = (each.in_head, each.in_body, each.content_length, owner.heads, owner.drained)
        heard.append((refusal, scopes, flags, owner.summary, state, owner.websocket))
        if refusal is not None or owner.websocket is not None or (flags and not flags[-1][0]):
            break  # nothing is fed any more
    return heard


@given(st.lists(PIECES, min_size=2, max_size=6))
@example([LINE + FIELDS, b"GET http://other/a HTTP/1.1" + FIELDS, LINE + FIELDS])
@example([b"GET http://other/a HTTP/1.1" + FIELDS, LINE + FIELDS])
@example([b"POST /a HTTP/1.1" + BLOCKS[6], LINE + b"\r\nHost: c\r\n\r\n"])
@example([b"POST /a HTTP/1.1" + BLOCKS[5], LINE + BLOCKS[5]])
def test_the_parser_would_have_read_the_same(pieces: list[bytes]) -> None:
    assert outcome(pieces, repeats=True) == outcome(pieces, repeats=False)


@given(st.integers(1, 80), st.integers(1, 80))
def test_bounds_hold(url: int, head: int) -> None:
    pieces = [LINE + FIELDS, b"GET /" + b"a" * 50 + b" HTTP/1.1" + FIELDS]
    limits = {"max_url_bytes": url, "max_head_bytes": head}
    assert outcome(pieces, repeats=True, **limits) == outcome(pieces, repeats=False, **limits)


def test_only_the_line_is_read_anew() -> None:
    owner = FakeOwner()
    each = reader(owner)
    each.feed(LINE + FIELDS)
    each._parser = None  # type: ignore[assignment]  # not needed any more
    assert each.feed(b"DELETE /other HTTP/1.1" + FIELDS) is None
    assert owner.summary[1] == ("DELETE", b"/other", b"", True)
    first, second = (cycle.scope["headers"] for cycle in owner.cycles)
    assert first == second
    assert first is not second  # what one request's fields are made into is nothing to the next


def test_fields_that_are_never_the_same_are_not_looked_at_for_ever() -> None:
    repeats = Repeats(ServerLimits())
    kept = []
    for number in range(8):
        data = LINE + b"\r\nHost: a\r\nTraceparent: %d\r\n\r\n" % number
        repeats.forget()
        repeats.keep(data, [])
        kept.append(repeats.block is not None)
    assert kept == [True] * 4 + [False] * 4


def test_a_repetition_gives_new_chances() -> None:
    repeats = Repeats(ServerLimits())
    for number in range(8):
        data = LINE + b"\r\nHost: %d\r\n\r\n" % number
        repeats.keep(data, [])
        assert repeats.line(data) == ("GET", b"/a", b"b=c")
