"""P: Responses out of bytes: llhttp does the syntax, this adds what a gateway must refuse on top (RFC 9112).

One reader per connection: `begin` for each request, `feed` for each piece that arrives, then look at the fields.
Refused, because somebody downstream would read it differently: any transfer coding but chunked, HTTP versions other
than 1.0 and 1.1, a 101 that nobody asked for, heads and trailers without end. (llhttp itself refuses two framing
fields, obs-fold, spaces before colons, bare CR or LF, control bytes and bad chunk sizes.)
"""

from typing import Any, Final

import httptools

Pair = tuple[bytes, bytes]

MAX_HEAD_BYTES: Final = 65536
"""Bound of an answer's head (informational ones included) and of the trailers."""
MAX_HEADERS: Final = 200

_FRAMING, _KEEP_ALIVE = 1, 2
_SPECIAL: Final = {b"content-length": _FRAMING, b"transfer-encoding": _FRAMING, b"keep-alive": _KEEP_ALIVE}
_BODILESS: Final = frozenset({204, 304})
_FIRST_BYTE: Final = ord("H")


class BadResponse(Exception):  # noqa: N818 - says what was received
    """The bytes are not one well-formed response to the request."""


class ResponseReader:
    """The response that a connection is receiving now. Callbacks named `on_…` are httptools'."""

    __slots__ = (
        "_framed",
        "_head_bytes",
        "_parser",
        "_silent_bytes",
        "_to_head",
        "buffered",
        "chunks",
        "complete",
        "head_complete",
        "headers",
        "informational",
        "keep_alive",
        "may_switch",
        "reason",
        "rest",
        "reusable",
        "started",
        "status",
        "trailers",
        "until_close",
        "version",
    )

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self._to_head = False
        self.may_switch = False
        """The request asked for another protocol: a 101 is its answer (RFC 9110 section 15.2.2)."""
        self.rest: bytes | None = None
        """What came after a 101: it is the other protocol's."""
        self.chunks: list[bytes] = []
        self.complete = True

    def begin(self, *, to_head: bool, may_switch: bool = False) -> None:
        """Expect the response to a new request; `to_head`: to a HEAD request, so without a body."""
        if self._to_head:
            # llhttp cannot be told that there is no body; the last response left it waiting for one.
            self._parser = httptools.HttpResponseParser(self)
        self._to_head = to_head
        self.may_switch = may_switch
        self._framed = False
        self._head_bytes = 0
        self._silent_bytes = 0
        self.started = False
        """The first byte has come."""
        self.status = 0
        self.reason = b""
        self.version = "1.1"
        self.headers: list[Pair] = []
        """Names in lower case; order and duplicates as received."""
        self.informational: list[tuple[int, list[Pair]]] | None = None
        """103s and the like (not 100) that came before the response, oldest first."""
        self.head_complete = False
        self.chunks = []
        self.buffered = 0
        """Bytes in `chunks`."""
        self.trailers: list[Pair] | None = None
        self.complete = False
        self.until_close = False
        """The body ends where the connection ends (RFC 9112 section 6.3)."""
        self.reusable = False
        """The connection may carry another request once this response is complete."""
        self.keep_alive: bytes | None = None
        """Value of the Keep-Alive field."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises BadResponse; junk after the complete response only ends `reusable`."""
        if self.complete:
            self._go_on_after(data)
            return
        if not self.started:
            self.started = True
            if data[0] != _FIRST_BYTE:
                raise BadResponse("it does not begin with HTTP/")
        in_head = not self.head_complete
        before = self.buffered
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._stopped(data, error)
        if in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._check_head_size()
        elif self.buffered == before:
            self._silent_bytes += len(data)
            if self._silent_bytes > MAX_HEAD_BYTES:
                raise BadResponse("its trailers or chunk extensions are too long")
        else:
            self._silent_bytes = 0

    def _stopped(self, data: bytes, error: Exception) -> None:
        """The parser reads no further: what follows is garbage, or another protocol's."""
        if isinstance(error, httptools.HttpParserUpgrade):
            self._switch(data[error.args[0] :])
        elif not self.complete:
            raise BadResponse(str(error.__context__ or error)) from None
        self.reusable = False

    def _go_on_after(self, data: bytes) -> None:
        self.reusable = False
        if self.rest is not None:
            self.rest += data

    def end(self) -> None:
        """The stream has ended in good order. Completes a response that lasts until close."""
        if self.until_close:
            self.complete = True

    def take(self) -> bytes:
        """The body bytes received since the last call."""
        chunks = self.chunks
        if not chunks:
            return b""
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self.buffered = 0
        return data

    def close(self) -> None:
        """Break the reference cycle with the parser; nothing may be fed any more."""
        self._parser = None

    # httptools' callbacks, in the order of a response

    def on_message_begin(self) -> None:
        if self.complete:
            raise BadResponse("bytes follow the response")

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        value = value.rstrip()  # llhttp strips the left side only
        if self.head_complete:
            self._trailer(name, value)
            return
        kind = _SPECIAL.get(name)
        if kind is not None:
            self._special(kind, name, value)
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if len(self.headers) > MAX_HEADERS:
            raise BadResponse("it has too many header fields")
        parser = self._parser
        status = parser.get_status_code()
        if status < 200:
            self._informational_head(status)
            return
        if status > 599:
            raise BadResponse(f"its status is {status}")
        version = parser.get_http_version()
        if version != "1.1":
            self._older_version(version)
        self.status = status
        self.head_complete = True
        self.reusable = parser.should_keep_alive()
        if self._to_head:
            self._end_of_answer_to_head()
        elif not self._framed and status not in _BODILESS:
            self.until_close = True

    def on_body(self, data: bytes) -> None:
        if self.complete:
            raise BadResponse("bytes follow the response")
        self.chunks.append(data)
        self.buffered += len(data)

    def on_message_complete(self) -> None:
        if self.head_complete:
            self.complete = True

    def _special(self, kind: int, name: bytes, value: bytes) -> None:
        if kind == _KEEP_ALIVE:
            self.keep_alive = value
            return
        if name == b"transfer-encoding" and (self._framed or value.lower() != b"chunked"):
            raise BadResponse("its transfer coding is not just chunked")
        self._framed = True

    def _trailer(self, name: bytes, value: bytes) -> None:
        if self.trailers is None:
            self.trailers = []
        if len(self.trailers) >= MAX_HEADERS:
            raise BadResponse("it has too many trailer fields")
        if name not in _SPECIAL:  # RFC 9110 section 6.5.1: framing has no place there
            self.trailers.append((name, value))

    def _informational_head(self, status: int) -> None:
        if status <= 101:
            if status == 101 and self.may_switch:
                self.status = status
                self.head_complete = True
                return
            if status != 100:
                raise BadResponse(f"its status is {status}, which nobody asked for")
        else:
            if self.informational is None:
                self.informational = []
            self.informational.append((status, self.headers))
        self.headers = []
        self.reason = b""
        self._framed = False

    def _switch(self, rest: bytes) -> None:
        if not self.may_switch or self.status != 101:
            raise BadResponse("it goes on in another protocol, which nobody asked for")
        self.rest = rest
        self.complete = True

    def _older_version(self, version: str) -> None:
        if version != "1.0":
            raise BadResponse(f"its version is {version}")
        if any(name == b"transfer-encoding" for name, _ in self.headers):
            raise BadResponse("HTTP/1.0 has no transfer codings")  # RFC 9112 section 6.1
        self.version = version

    def _end_of_answer_to_head(self) -> None:
        self.complete = True
        if not self._framed:  # llhttp takes it for a body until close; only the Connection field counts
            self.reusable = self.version == "1.1" and not any(
                name == b"connection" and b"close" in value.lower() for name, value in self.headers
            )

    def _check_head_size(self) -> None:
        size = sum(len(name) + len(value) + 4 for name, value in self.headers)
        if not self.head_complete or size > MAX_HEAD_BYTES:
            self.head_complete = False  # so that nobody takes it for an answer that broke off
            raise BadResponse("its head is too long")
