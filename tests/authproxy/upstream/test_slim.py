"""Tests of the quick httpx objects: equal to httpx's own, and guarded against another httpx."""

import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authproxy.fieldlines import FieldLines, read
from authproxy.upstream import slim

NAMES = st.from_regex(rb"[a-z][a-z0-9-]{0,8}", fullmatch=True)
VALUES = st.binary(max_size=12)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
URL = httpx.URL("http://a.test/b?c=d")
EMPTY = httpx.ByteStream(b"")

LOOKS: dict[str, Callable[[httpx.Headers], Any]] = {
    "raw": lambda headers: headers.raw,
    "items": lambda headers: list(headers.items()),
    "multi_items": lambda headers: headers.multi_items(),
    "keys": lambda headers: list(headers.keys()),
    "values": lambda headers: list(headers.values()),
    "get": lambda headers: headers.get("A"),
    "get_list": lambda headers: headers.get_list("A", split_commas=True),
    "contains": lambda headers: "A" in headers,
    "length": len,
    "iteration": list,
    "encoding": lambda headers: headers.encoding,
    "copy": lambda headers: headers.copy().raw,
    "repr": lambda headers: repr(headers).removeprefix("Pair"),
    "equality": lambda headers: headers == httpx.Headers([(b"a", b"1")]),
}


@pytest.mark.parametrize("name", LOOKS)
@settings(max_examples=25)
@given(pairs=PAIRS)
def test_headers_look_like_httpx_headers(name: str, pairs: list[slim.Pair]) -> None:
    """Every way to look at them gives what httpx.Headers gives."""
    assert LOOKS[name](slim.PairHeaders(list(pairs))) == LOOKS[name](httpx.Headers(pairs))


CHANGES: dict[str, Callable[[httpx.Headers], Any]] = {
    "set": lambda headers: headers.__setitem__("A", "new"),
    "delete": lambda headers: headers.pop("A", None),
    "update": lambda headers: headers.update({"b": "2"}),
    "replace": lambda headers: setattr(headers, "_list", [(b"C", b"c", b"3")]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_headers_can_be_changed(name: str) -> None:
    """A change through httpx's interface is what is sent afterwards."""
    request = slim.request("GET", URL, [(b"a", b"1"), (b"x", b"0")], EMPTY, {})
    model = httpx.Headers([(b"a", b"1"), (b"x", b"0")])
    CHANGES[name](request.headers)
    CHANGES[name](model)

    assert slim.raw_pairs(request) == model.raw


@pytest.fixture(params=[True, False], ids=["quick", "public"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slim, "FAST", request.param)


@pytest.mark.usefixtures("_both_ways")
def test_a_request_is_what_was_given() -> None:
    """Quick or public: the same request, nothing added."""
    headers = [(b"host", b"h"), (b"x-a", b"1"), (b"x-a", b"\xe9")]
    extensions = {"target": b"/t"}
    request = slim.request("get", URL, list(headers), EMPTY, extensions)

    assert request.method == "get"
    assert request.url == URL
    assert slim.raw_pairs(request) == request.headers.raw == headers
    assert request.stream is EMPTY
    assert request.extensions == extensions


@pytest.mark.usefixtures("_both_ways")
def test_lines_come_after_the_other_fields() -> None:
    """Whoever asks for fields finds them among the others; whoever writes them takes them as they are."""
    request = slim.request("GET", URL, [(b"a", b"1")], EMPTY, {}, FieldLines([(b"b", b"2: 3")]).lines)
    pairs, lines = slim.pairs_and_lines(request)

    assert [*pairs, *read(lines)] == [(b"a", b"1"), (b"b", b"2: 3")]
    assert slim.raw_pairs(request) == [(b"a", b"1"), (b"b", b"2: 3")]
    assert request.headers["b"] == "2: 3"
    request.headers["b"] = "4"
    assert slim.pairs_and_lines(request) == ([(b"a", b"1"), (b"b", b"4")], b"")


@pytest.mark.usefixtures("_both_ways")
async def test_a_response_is_what_was_given() -> None:
    """Quick or public: reading, status and fields work as in httpx."""
    request = slim.request("GET", URL, [], EMPTY, {})
    headers = [
        (b"content-type", b"text/plain; charset=latin-1"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
    ]
    response = slim.response(
        404, list(headers), httpx.ByteStream(b"caf\xe9"), {"reason_phrase": b"Gone"}, request
    )

    assert slim.raw_pairs(response) == headers
    assert (response.status_code, response.reason_phrase, response.request) == (404, "Gone", request)
    assert (response.is_closed, response.is_stream_consumed, response.num_bytes_downloaded) == (
        False,
        False,
        0,
    )
    assert await response.aread() == b"caf\xe9"
    assert response.text == "café"
    assert response.is_closed
    assert response.cookies["b"] == "2"
    assert response.history == []
    assert response.next_request is None
    with pytest.raises(httpx.HTTPStatusError):
        response.raise_for_status()


@pytest.mark.usefixtures("_both_ways")
def test_a_body_in_memory_is_recognised() -> None:
    """Only on the quick way; else it is streamed, which is right as well."""
    assert slim.memory_body(httpx.ByteStream(b"x")) == (b"x" if slim.FAST else None)
    assert slim.memory_body(object()) is None


def test_both_ways_give_the_same_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attribute by attribute: nothing that httpx's methods rely on is missing."""
    made: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for fast in (True, False):
        monkeypatch.setattr(slim, "FAST", fast)
        request = slim.request("POST", URL, [(b"a", b"1")], EMPTY, {"x": 1})
        response = slim.response(200, [(b"a", b"1")], EMPTY, {"y": 2}, request)
        made.append((dict(vars(request)), {**vars(response), "_request": None}))

    assert made[0] == made[1]


def test_this_httpx_is_the_one_we_know() -> None:
    """When this fails, httpx has changed: see whether the quick way still holds before raising the pin."""
    assert httpx.__version__.startswith("0.28.")
    assert slim.FAST


def test_another_httpx_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With other attributes the public way is taken."""

    class Different(httpx.Headers):
        def __init__(self) -> None:
            super().__init__()
            self.new_state = 1

    monkeypatch.setattr(httpx, "Headers", Different)

    assert not slim._private_names_are_as_expected()


def test_the_body_is_the_stream() -> None:
    """`body` only names the type."""
    response = slim.response(200, [], EMPTY, {}, slim.request("GET", URL, [], EMPTY, {}))

    assert slim.body(response) is EMPTY


def test_headers_survive_pickling() -> None:
    """As httpx.Headers do."""
    headers = pickle.loads(pickle.dumps(slim.PairHeaders([(b"a", b"1")])))

    assert headers.raw == [(b"a", b"1")]
