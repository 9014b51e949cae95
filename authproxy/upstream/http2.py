"""I: HTTP/2 to upstreams: httpx (over `http2pool`) behind the same interface, with the same extensions and failures.

`h2` is HTTP/2 over TLS (ALPN offers nothing else), `h2c` is plain HTTP/2 with prior knowledge (RFC 9113 section 3.3).
What stock httpx cannot do: informational responses, trailers, and an answer before the request's body has been sent.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Final

import httpx

from authproxy.upstream import slim
from authproxy.upstream.base import PoolStats, Transport
from authproxy.upstream.connection import NEVER
from authproxy.upstream.errors import (
    NOTHING_SENT,
    BodyBroken,
    BodyTimeout,
    DeadlineExceeded,
    Progress,
    RequestBodyFailed,
    TlsFailed,
    with_progress,
)
from authproxy.upstream.http2pool import pool_of
from authproxy.upstream.pool import PoolLimits
from authproxy.upstream.serialising import CHUNKED, encode_head, wrong_length
from authproxy.upstream.tls import Contexts, TlsMisconfigured, TlsOptions, http2_context_for

_SENT: Final = Progress(reused=False, wrote=True, response_started=False)
_ANSWERED: Final = Progress(reused=False, wrote=True, response_started=True)
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_CONNECTION_FIELDS: Final = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"upgrade"})
"""RFC 9113 section 8.2.2. Transfer-Encoding is left out by httpcore, which takes it as a sign that a body follows."""


class Http2Transport(Transport):
    """See `base` for requests' and responses' extensions."""

    def __init__(self, *, limits: PoolLimits | None = None, tls: TlsOptions | None = None) -> None:
        self._limits = limits or PoolLimits()
        self._tls = tls or TlsOptions()
        self._busy = 0
        self._rested = asyncio.Event()
        self._opened: httpx.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._busy += 1
        try:
            response = await self._exchange(request)
        except BaseException as failure:
            self._rest()
            if isinstance(failure, httpx.TransportError):
                failure.request = request
            raise
        body = Http2Body(response, self._rest)
        headers = [(name.lower(), value) for name, value in response.headers.raw]
        extensions = {
            "http_version": b"HTTP/2",
            "reason_phrase": b"",
            "reused": False,
            "trailers": body.trailers,
        }
        return slim.response(response.status_code, headers, body, extensions, request)

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        patience = asyncio.timeout(None)
        upload = _Upload(request, patience)
        asked = _as_http2(request, upload, self._tls.sni)
        deadline = request.extensions.get("deadline", NEVER)
        try:
            async with patience:
                if deadline != NEVER:
                    patience.reschedule(deadline)
                return await self._stock().handle_async_request(asked)
        except TimeoutError as failure:
            late = DeadlineExceeded("the upstream did not answer by the request's deadline")
            raise with_progress(late, _SENT) from failure
        except RequestBodyFailed as failure:
            raise with_progress(failure, _SENT) from upload.trouble  # httpcore has dropped the cause
        except httpx.TransportError as failure:
            raise _translated(failure)  # noqa: B904 - the same exception
        finally:
            if "connecting_s" in asked.extensions:
                request.extensions["connecting_s"] = asked.extensions["connecting_s"]

    def keep_only(self, urls: Iterable[httpx.URL]) -> None:
        """Nothing to do: the stock pool lets go of idle connections by itself."""

    def retire(self) -> None:
        """Nothing to do, as in `keep_only`."""

    def stats(self) -> Mapping[str, PoolStats]:
        """Unknown: the stock pool keeps its numbers to itself."""
        return {}

    async def aclose(self, *, grace_s: float = 0.0) -> None:
        try:
            async with asyncio.timeout(grace_s):
                while self._busy:
                    self._rested.clear()
                    await self._rested.wait()
        except TimeoutError:
            pass
        if self._opened is not None:
            await self._opened.aclose()

    def _stock(self) -> httpx.AsyncHTTPTransport:
        if self._opened is None:
            try:
                tls = Contexts(http2_context_for, self._tls)
            except TlsMisconfigured as problem:
                raise TlsFailed(str(problem)) from problem
            opened = httpx.AsyncHTTPTransport(verify=tls(), trust_env=False)
            limits = self._limits
            opened._pool = pool_of(
                tls=tls,
                max_connections=limits.max_connections,
                max_idle=limits.max_idle,
                idle_s=limits.idle_s,
            )
            self._opened = opened
        return self._opened

    def _rest(self) -> None:
        self._busy -= 1
        self._rested.set()


class Http2Body(httpx.AsyncByteStream):
    """The interface of `body.ResponseBody` over a stock response: here `take` never has anything yet."""

    def __init__(self, response: httpx.Response, on_release: Callable[[], None]) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._stock = response.stream
        self._parts = response.stream.__aiter__()
        self._on_release = on_release
        self.released = False

    def take(self) -> tuple[bytes, bool]:
        return b"", self.released

    async def next(self) -> tuple[bytes, bool]:
        if self.released:
            return b"", True
        try:
            return await anext(self._parts), False
        except StopAsyncIteration:
            await self.aclose()
            return b"", True
        except httpx.ReadTimeout as failure:
            raise with_progress(BodyTimeout("the upstream sent nothing for too long"), _ANSWERED) from failure
        except httpx.TransportError as failure:
            broken = BodyBroken(f"the answer's body broke off: {failure}")
            raise with_progress(broken, _ANSWERED) from failure

    def trailers(self) -> list[slim.Pair]:
        """Always empty: stock httpx drops them."""
        return []

    async def __aiter__(self) -> AsyncIterator[bytes]:
        done = False
        while not done:
            data, done = await self.next()
            if data:
                yield data

    async def aclose(self) -> None:
        if not self.released:
            self.released = True
            self._on_release()
            await self._stock.aclose()


class _Upload(httpx.AsyncByteStream):
    """The request's body, counted; the request's deadline stands still while it is sent."""

    def __init__(self, request: httpx.Request, patience: asyncio.Timeout) -> None:
        self._stream = request.stream
        self._patience = patience
        self.length = 0
        self.trouble: Exception | None = None
        """What the caller's stream raised."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        deadline = self._patience.when()
        left_s = None if deadline is None else deadline - loop.time()
        self._patience.reschedule(None)
        sent = 0
        async for part in self._parts():
            sent += len(part)
            if self.length != CHUNKED and sent > self.length:
                raise wrong_length(self.length, sent)
            if part:
                yield part
        if self.length != CHUNKED and sent < self.length:
            raise wrong_length(self.length, sent)
        if left_s is not None:
            self._patience.reschedule(loop.time() + left_s)

    async def _parts(self) -> AsyncIterator[bytes]:
        assert isinstance(self._stream, httpx.AsyncByteStream)
        try:
            async for part in self._stream:
                yield part
        except Exception as failure:
            self.trouble = failure
            raise RequestBodyFailed(f"the request's body failed: {failure!r}") from failure


def _as_http2(request: httpx.Request, upload: _Upload, sni: str | None) -> httpx.Request:
    """What stock httpx is to send. Raises LocalProtocolError for what must not be sent."""
    extensions = request.extensions
    pairs = slim.raw_pairs(request)
    _, upload.length = encode_head(request.method, extensions.get("target") or request.url.raw_path, pairs)
    passed = [(name, value) for name, value in pairs if _passes(name.lower(), value)]
    if not any(name.lower() == b"host" for name, _ in passed):
        raise with_progress(httpx.LocalProtocolError("the request has no Host"), NOTHING_SENT)
    taken: dict[str, Any] = {name: extensions[name] for name in ("target", "timeout") if name in extensions}
    if sni is not None:
        taken["sni_hostname"] = sni
    return slim.request(request.method, request.url, passed, upload, taken)


def _passes(name: bytes, value: bytes) -> bool:
    if name == b"te":
        return value == b"trailers"
    return name not in _CONNECTION_FIELDS


def _translated(failure: httpx.TransportError) -> httpx.TransportError:
    """With how far the request had come."""
    return with_progress(failure, NOTHING_SENT if isinstance(failure, _UNSENT) else _SENT)
