"""From bytes to request cycles."""

import asyncio
from typing import Any

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.http.flow_control import FlowControl

from gateway_project.server import refusals
from gateway_project.server.cycle import RequestCycle
from gateway_project.server.limits import ServerLimits
from gateway_project.server.reader import RequestReader
from tests.support.transports import FakeTransport

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
WEBSOCKET = b"GET /w HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"


class FakeOwner:
    """Collects what the reader accepts."""

    def __init__(self) -> None:
        self.transport = FakeTransport()
        self.flow = FlowControl(self.transport)
        self.cycles: list[RequestCycle] = []
        self.heads = 0
        self.drained = 0
        self.websocket: tuple[dict[str, Any], bytes] | None = None
        self.websockets = True
        self.fails = False

    def head_began(self) -> None:
        self.heads += 1

    def accept(self, cycle: RequestCycle) -> None:
        if self.fails:
            raise ValueError("owner")
        self.cycles.append(cycle)

    def may_become_websocket(self) -> bool:
        return self.websockets

    def become_websocket(self, scope: dict[str, Any], rest: bytes) -> None:
        self.websocket = scope, rest

    def body_drained(self) -> None:
        self.drained += 1

    @property
    def summary(self) -> list[tuple[str, bytes, bytes, bool]]:
        return [
            (each.scope["method"], each.scope["raw_path"], b"".join(each._chunks), each.request_complete)
            for each in self.cycles
        ]


def reader(owner: FakeOwner, **limits: int) -> RequestReader:
    return RequestReader(
        owner,  # type: ignore[arg-type]
        lambda *_: asyncio.sleep(0),
        scope_base={"type": "http"},
        app_state={},
        limits=ServerLimits(**limits),  # type: ignore[arg-type]
        good_hosts=set(),
    )


@pytest.mark.parametrize(("written", "length"), [(b"3", b"3"), (b"003", b"3"), (b"0" * 9000 + b"3", b"3")])
def test_a_length_has_one_spelling(written: bytes, length: bytes) -> None:
    """Leading zeros are legal and mean nothing; whoever reads the field next sees a plain number."""
    owner = FakeOwner()
    data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + written + b"\r\n\r\nabc" + GET

    assert reader(owner).feed(data) is None
    assert (b"content-length", length) in owner.cycles[0].scope["headers"]
    assert [cycle.scope["method"] for cycle in owner.cycles] == ["POST", "GET"]


@given(st.lists(st.integers(min_value=1, max_value=60), max_size=12))
def test_cuts_do_not_matter(sizes: list[int]) -> None:
    """However the bytes arrive, the same requests come out of them."""
    data = GET + POST + WEBSOCKET.replace(b"websocket", b"h2c") + b"Content-Length: 3\r\n\r\nxyz" + GET
    owner = FakeOwner()
    one = reader(owner)
    for size in sizes:
        assert one.feed(data[:size]) is None if data[:size] else True
        data = data[size:]
    if data:
        assert one.feed(data) is None

    assert owner.summary == [
        ("GET", b"/", b"", True),
        ("POST", b"/p", b"abc", True),
        ("GET", b"/w", b"xyz", True),
        ("GET", b"/", b"", True),
    ]
    assert owner.heads == 4


def test_states() -> None:
    """Within a head, within a body, between requests."""
    owner = FakeOwner()
    one = reader(owner)
    seen = []
    for piece in (b"POST / HTTP/1.1\r\nHo", b"st: a\r\nContent-Length: 3\r\n\r\na", b"bc", b"GET"):
        one.feed(piece)
        seen.append((one.in_head, one.in_body, one.content_length))

    assert seen == [(True, False, None), (False, True, 3), (False, False, 3), (True, False, 3)]


def test_large_body_pauses_reading() -> None:
    """Until the application takes some of it."""
    owner = FakeOwner()
    one = reader(owner, body_buffer_bytes=10)
    one.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + b"x" * 11)

    assert not owner.transport.reading


def test_body_that_nobody_wants_is_thrown_away() -> None:
    """And its end told."""
    owner = FakeOwner()
    one = reader(owner)
    one.feed(POST[:-2])
    owner.cycles[0].finished = True
    one.feed(POST[-2:])

    assert owner.cycles[0].buffered == 1
    assert owner.drained == 1


def test_websocket_is_handed_over() -> None:
    """With what came behind the handshake."""
    owner = FakeOwner()
    reader(owner).feed(WEBSOCKET + b"\r\nrest")

    assert owner.websocket is not None
    assert (owner.websocket[0]["raw_path"], owner.websocket[1]) == (b"/w", b"rest")
    assert owner.cycles == []


def test_websocket_that_can_not_be_is_a_request() -> None:
    """As behind other requests: the Upgrade is ignored."""
    owner = FakeOwner()
    owner.websockets = False
    reader(owner).feed(WEBSOCKET + b"\r\n" + GET)

    assert [path for _, path, _, _ in owner.summary] == [b"/w", b"/"]


@pytest.mark.parametrize(
    ("data", "limits", "refusal"),
    [
        (b"GET /aaaaaaaa", {"max_url_bytes": 8}, refusals.URL_TOO_LONG),
        (b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", {"max_headers": 2}, refusals.TOO_MANY_HEADERS),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"x" * 200 + b"\r\n\r\n",
            {"max_head_bytes": 100},
            refusals.HEAD_TOO_LARGE,
        ),
        (GET[:-2] + b"X: " + b"x" * 200, {"max_head_bytes": 100}, None),
    ],
)
def test_limits(data: bytes, limits: dict[str, int], refusal: refusals.Refusal | None) -> None:
    """Told as values."""
    assert reader(FakeOwner(), **limits).feed(data) == refusal


def test_growing_head_is_refused_before_it_ends() -> None:
    """Whatever the first packet held, the next may not go on for ever."""
    one = reader(FakeOwner(), max_head_bytes=100)
    one.feed(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    results = [one.feed(b"x" * 60) for _ in range(2)]

    assert results == [None, refusals.HEAD_TOO_LARGE]


def test_large_packet_is_not_a_large_head() -> None:
    """Only the head itself counts, not what came with it."""
    owner = FakeOwner()
    body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000

    assert reader(owner, max_head_bytes=200).feed(body + GET) is None
    assert len(owner.cycles) == 2


def test_our_own_failure_is_no_fault_of_the_client(caplog: pytest.LogCaptureFixture) -> None:
    """500, and the log says why."""
    owner = FakeOwner()
    owner.fails = True

    assert reader(owner).feed(GET) == refusals.APPLICATION_FAILED
    assert "Reading a request failed" in caplog.text


def test_known_hosts_are_bounded() -> None:
    """A client that invents names does not fill the memory."""
    hosts = {str(number).encode() for number in range(1024)}
    one = RequestReader(
        FakeOwner(),  # type: ignore[arg-type]
        lambda *_: asyncio.sleep(0),
        scope_base={},
        app_state={},
        limits=ServerLimits(),
        good_hosts=hosts,
    )
    one.feed(GET)

    assert hosts == {b"a"}


def test_close_lets_the_parser_go() -> None:
    """They hold each other otherwise."""
    one = reader(FakeOwner())
    assert isinstance(one._parser, httptools.HttpRequestParser)
    one.close()

    assert one._parser is None
