"""Tests of what is built on httpcore; against a real server in the functional tests."""

import inspect
import ssl

import httpcore
import pytest

from authproxy.upstream.http2pool import (
    CONNECTION_WINDOW,
    MOST_STREAMS,
    STREAM_WINDOW,
    Http2Connection,
    pool_of,
)


class FakeWire(httpcore.AsyncMockStream):
    """Takes whatever is put."""

    def __init__(self) -> None:
        super().__init__([])
        self.is_over = False
        self.is_left = False
        self.sent = b""

    def put(self, data: bytes) -> None:
        self.sent += data


def connection() -> Http2Connection:
    return Http2Connection(httpcore.Origin(b"http", b"a.test", 80), FakeWire(), None)


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (httpcore.AsyncHTTP2Connection, "_response_closed", ["self", "stream_id"]),
        (httpcore.AsyncHTTP2Connection, "_wait_for_outgoing_flow", ["self", "request", "stream_id"]),
        (httpcore.AsyncHTTP2Connection, "_read_incoming_data", ["self", "request"]),
        (httpcore.AsyncHTTP2Connection, "_send_end_stream", ["self", "request", "stream_id"]),
        (httpcore.AsyncHTTP2Connection, "is_available", ["self"]),
        (httpcore.AsyncHTTP2Connection, "has_expired", ["self"]),
        (httpcore.AsyncHTTPConnection, "_connect", ["self", "request"]),
        (httpcore.AsyncConnectionPool, "create_connection", ["self", "origin"]),
    ],
)
def test_httpcore_is_as_expected(owner: type, name: str, parameters: list[str]) -> None:
    """What is overridden is there, and takes what it took."""
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


def test_the_pool_makes_our_connections() -> None:
    """And not httpcore's."""
    pool = pool_of(tls=ssl.create_default_context, max_connections=3, max_idle=2, idle_s=1.0)
    made = pool.create_connection(httpcore.Origin(b"http", b"a.test", 80))
    assert made.is_available()
    assert type(made).handle_async_request is not httpcore.AsyncHTTPConnection.handle_async_request


async def test_windows_have_room_for_all_streams() -> None:
    """Of a connection and of a stream."""
    made = connection()
    request = httpcore.Request("GET", "http://a.test/", headers=[(b"host", b"a.test")])
    await made._send_connection_init(request)
    await made._send_request_headers(request, 1)

    assert made._h2_state.inbound_flow_control_window == CONNECTION_WINDOW == MOST_STREAMS * STREAM_WINDOW
    assert made._h2_state.remote_flow_control_window(1) == STREAM_WINDOW
    assert made._h2_state.local_settings.max_concurrent_streams == MOST_STREAMS


def test_an_idle_connection_that_ended_has_expired() -> None:
    """A busy one still has answers to read."""
    made = connection()
    assert not made.has_expired()
    made._wire.is_over = True
    assert made.has_expired()


def test_a_connection_to_an_address_that_is_gone() -> None:
    """It takes no new request, and has expired as soon as it is idle."""
    made = connection()
    before = made.is_available(), made.has_expired()
    made._wire.is_left = True
    assert (before, made.is_available(), made.has_expired()) == ((True, False), False, made.is_idle())


async def test_each_connection_has_the_context_of_its_time() -> None:
    """A certificate that was replaced counts from the next one on."""
    contexts = [ssl.create_default_context() for _ in range(3)]
    given = iter(contexts)
    async with pool_of(tls=lambda: next(given), max_connections=3, max_idle=2, idle_s=1.0) as pool:
        origin = httpcore.URL("https://a.test").origin
        made = [pool.create_connection(origin) for _ in range(2)]

    assert [vars(each)["_ssl_context"] for each in made] == contexts[1:]
