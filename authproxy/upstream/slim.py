"""P: httpx requests and responses built without httpx's normalisation, which costs more than the proxying itself.

`request` and `response` fill httpx objects attribute by attribute and keep header fields as plain pairs; everything
that httpx offers on them (case-insensitive lookup, iteration, repr) still works, only later. This leans on private
names of the pinned httpx version. `FAST` says whether they are as expected; if not, the public constructors are used:
the same objects, 4 to 7 µs slower.
"""

from typing import TYPE_CHECKING, Any, Final, cast

import httpx

from authproxy import fieldlines

if TYPE_CHECKING:
    from authproxy.upstream.body import ResponseBody

Pair = tuple[bytes, bytes]

_new = object.__new__


class PairHeaders(httpx.Headers):
    """httpx.Headers over a list of (lower-case name, value) pairs; httpx's own form is made on first use."""

    pairs: list[Pair] | None
    """The fields in order, duplicates kept; None once somebody used the httpx interface (it may have changed)."""

    lines: bytes
    """Fields that come after `pairs`, as `FieldLines` has them."""

    def __init__(self, pairs: list[Pair], lines: bytes = b"") -> None:
        self.pairs = pairs
        self.lines = lines
        self._encoding = None

    def whole(self) -> list[Pair]:
        """All fields, while nobody has used the httpx interface."""
        assert self.pairs is not None
        return [*self.pairs, *fieldlines.read(self.lines)] if self.lines else self.pairs

    @property
    def _list(self) -> list[tuple[bytes, bytes, bytes]]:
        if self.pairs is not None:
            self._triples = [(name, name, value) for name, value in self.whole()]
            self.pairs = None
        return self._triples

    @_list.setter
    def _list(self, triples: list[tuple[bytes, bytes, bytes]]) -> None:
        self._triples = triples
        self.pairs = None


def request(
    method: str,
    url: httpx.URL,
    headers: list[Pair],
    stream: httpx.AsyncByteStream,
    extensions: dict[str, Any],
    lines: bytes = b"",
) -> httpx.Request:
    """An httpx.Request. `method` is sent as it is, header names must be lower case; nothing is added to the fields.

    `lines` are those that come after `headers`, as `FieldLines` has them.
    """
    if not FAST:
        headers = [*headers, *fieldlines.read(lines)]
        built = httpx.Request(method, url, headers=headers, stream=stream, extensions=extensions)
        built.method = method
        return built
    made = _new(httpx.Request)
    made.method = method
    made.url = url
    made.headers = _pair_headers(headers, lines)
    made.stream = stream
    made.extensions = extensions
    return made


def response(
    status: int,
    headers: list[Pair],
    stream: httpx.AsyncByteStream,
    extensions: dict[str, Any],
    request: httpx.Request,
) -> httpx.Response:
    """An unread httpx.Response over `stream`. Header names must be lower case."""
    if not FAST:
        return httpx.Response(status, headers=headers, stream=stream, extensions=extensions, request=request)
    made = _new(httpx.Response)
    made.status_code = status
    made.headers = _pair_headers(headers)
    made._request = request
    made.next_request = None
    made.extensions = extensions
    made.history = []
    made.is_closed = False
    made.is_stream_consumed = False
    made.default_encoding = "utf-8"
    made.stream = stream
    made._num_bytes_downloaded = 0
    return made


def raw_pairs(message: httpx.Request | httpx.Response) -> list[Pair]:
    """The header fields in order, duplicates kept, names as given (lower case in slim messages). Do not change it."""
    headers = message.headers
    if type(headers) is PairHeaders and headers.pairs is not None:
        return headers.whole()
    return headers.raw


def pairs_and_lines(request: httpx.Request) -> tuple[list[Pair], bytes]:
    """The header fields: those that are still to be written, and the lines that come after them."""
    headers = request.headers
    if type(headers) is PairHeaders and headers.pairs is not None:
        return headers.pairs, headers.lines
    return headers.raw, b""


def body(response: httpx.Response) -> "ResponseBody":
    """The body of an answer from one of our transports, with `take` and `next`."""
    return cast("ResponseBody", response.stream)


def memory_body(stream: object) -> bytes | None:
    """The bytes of a request body that is all in memory; None if it has to be streamed."""
    if FAST and type(stream) is httpx.ByteStream:
        return stream._stream
    return None


def _pair_headers(pairs: list[Pair], lines: bytes = b"") -> PairHeaders:
    made = _new(PairHeaders)
    made.pairs = pairs
    made.lines = lines
    made._encoding = None
    return made


_REQUEST_FIELDS: Final = {"method", "url", "headers", "extensions", "stream"}
_RESPONSE_FIELDS: Final = {
    "status_code",
    "headers",
    "_request",
    "next_request",
    "extensions",
    "history",
    "is_closed",
    "is_stream_consumed",
    "default_encoding",
    "stream",
    "_num_bytes_downloaded",
}


def _private_names_are_as_expected() -> bool:
    """Whether this httpx keeps its state in the attributes that we fill."""
    stream = httpx.ByteStream(b"x")
    asked = httpx.Request("GET", "http://x", stream=stream)
    answered = httpx.Response(200, stream=stream, request=asked)
    return (
        vars(asked).keys() == _REQUEST_FIELDS
        and vars(answered).keys() == _RESPONSE_FIELDS
        and vars(httpx.Headers()).keys() == {"_list", "_encoding"}
        and vars(stream).keys() == {"_stream"}
    )


FAST = _private_names_are_as_expected()
