"""I: Reads on after a request that asked for an upgrade we do not do.

The parser takes what follows such a head for another protocol, though a server may ignore the Upgrade field
(RFC 9110 section 7.8) and must then read the body. A fresh parser is told a head with the same framing.
"""

from __future__ import annotations

from typing import Protocol

import httptools


class Callbacks(Protocol):
    def on_message_begin(self) -> None: ...
    def on_url(self, url: bytes) -> None: ...
    def on_header(self, name: bytes, value: bytes) -> None: ...
    def on_headers_complete(self) -> None: ...
    def on_body(self, body: bytes) -> None: ...
    def on_message_complete(self) -> None: ...


class _SkipFirstHead:
    """Passes everything on but the first head."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._skipping = True
        self.on_body = callbacks.on_body
        self.on_message_complete = callbacks.on_message_complete

    def on_message_begin(self) -> None:
        if not self._skipping:
            self._callbacks.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._skipping:
            self._callbacks.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._skipping:
            self._callbacks.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._skipping:
            self._skipping = False
        else:
            self._callbacks.on_headers_complete()


def resume_body_parser(
    callbacks: Callbacks, *, length: int | None, keep_alive: bool
) -> httptools.HttpRequestParser:
    """A parser that stands behind a head with that Content-Length, or with chunked coding if it is None."""
    parser = httptools.HttpRequestParser(_SkipFirstHead(callbacks))
    framing = b"transfer-encoding: chunked" if length is None else b"content-length: %d" % length
    persistence = b"keep-alive" if keep_alive else b"close"
    parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\nconnection: %b\r\n\r\n" % (framing, persistence))
    return parser
