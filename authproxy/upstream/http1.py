"""I: HTTP/1.1 to upstreams as an httpx transport: one pool per target, one sweeper for all deadlines.

`handle_async_request` is the way of a request: encode → take a connection → write → wait for the head → hand over.
On that way no task is started (except for streamed bodies) and no timer is set.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import httpx

from authproxy.upstream import slim, upload
from authproxy.upstream.base import PoolStats, Transport
from authproxy.upstream.body import ResponseBody
from authproxy.upstream.connection import NEVER, Connection
from authproxy.upstream.dialling import Dialler, Origin
from authproxy.upstream.errors import (
    NOTHING_SENT,
    DeadlineExceeded,
    StaleConnection,
    TlsFailed,
    with_progress,
)
from authproxy.upstream.parsing import ResponseReader
from authproxy.upstream.pool import Pool, PoolLimits
from authproxy.upstream.resolver import Resolver, shared_resolver
from authproxy.upstream.serialising import encode_head, with_body
from authproxy.upstream.tls import Contexts, TlsMisconfigured, TlsOptions, context_for
from authproxy.upstream.waiting import Patience

SWEEP_S: Final = 0.05
"""Deadlines are kept to within this."""
_MAX_KNOWN_URLS: Final = 1024
_NO_TIMEOUTS: Final[dict[str, float | None]] = {}
_VERSIONS: Final = {"1.1": b"HTTP/1.1", "1.0": b"HTTP/1.0"}


class Http1Transport(Transport):
    """See `base` for requests' and responses' extensions. Belongs to one event loop, from its first request on."""

    def __init__(
        self,
        *,
        limits: PoolLimits | None = None,
        tls: TlsOptions | None = None,
        resolver: Resolver | None = None,
        sweep_s: float = SWEEP_S,
    ) -> None:
        self._limits = limits or PoolLimits()
        self._tls = tls or TlsOptions()
        self._resolver = resolver or shared_resolver()
        self._sweep_s = sweep_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._pools: dict[Origin, Pool] = {}
        self._retired: list[Pool] = []
        self._kept: frozenset[Origin] | None = None
        self._by_url: dict[int, tuple[httpx.URL, Pool]] = {}
        self._emptied = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`; its response as soon as the head is there. Raises the exceptions of `errors`."""
        extensions = request.extensions
        url = request.url
        timeouts = extensions.get("timeout") or _NO_TIMEOUTS
        deadline = extensions.get("deadline", NEVER)
        loop = self._loop or self._start()
        try:
            # 1. the request in bytes
            head, length = encode_head(
                request.method, extensions.get("target") or url.raw_path, *slim.pairs_and_lines(request)
            )
            body = slim.memory_body(request.stream)
            if body or (length and body is not None):
                head = with_body(head, length, body)
            # 2. a connection
            known = self._by_url.get(id(url))
            pool = known[1] if known is not None and known[0] is url else self._pool(url)
            now = loop.time()
            if now >= deadline:
                raise DeadlineExceeded("the request's deadline has passed")
            fresh = extensions.get("fresh", False)
            connection = None if fresh else pool.take_idle(now)
            if connection is None:
                connection = await _acquired(pool, request, _patience(timeouts, deadline), fresh=fresh)
                now = loop.time()
        except httpx.TransportError as failure:
            raise _about(failure, request)  # noqa: B904 - the same exception
        # 3. out with it, in one write unless its body is streamed
        task: asyncio.Task[None] | None = None
        reader = connection.reader
        try:
            connection.begin(
                to_head=request.method == "HEAD",
                read_s=_seconds(timeouts, "read"),
                may_switch="upgrade" in extensions,
            )
            connection.transport.write(head)
            if body is not None and not connection.write_paused:
                connection.await_answer(now, deadline)
            else:
                connection.hold_deadline(now, deadline, _seconds(timeouts, "write"))
                task = loop.create_task(_upload(connection, request, body, length))
            # 4. the head of the answer
            while not reader.head_complete and connection.error is None:
                waiter = connection.waiter = loop.create_future()
                await waiter
                if reader.informational is not None:
                    _tell(reader, extensions.get("on_informational"))
            if connection.error is not None:
                raise connection.error
        except BaseException as failure:
            await _give_up(failure, request, pool, connection, now, task)
            raise
        # 5. its body is the caller's
        connection.read_until = connection.deadline = NEVER
        return _response(connection, pool, request, task)

    def keep_only(self, urls: Iterable[httpx.URL]) -> None:
        self._kept = frozenset(Origin.of(url) for url in urls)
        self._by_url.clear()
        for origin in self._pools.keys() - self._kept:
            self._set_aside(origin)

    def retire(self) -> None:
        self.keep_only(())

    def stats(self) -> Mapping[str, PoolStats]:
        return {str(origin): pool.stats() for origin, pool in self._pools.items()}

    async def aclose(self, *, grace_s: float = 0.0) -> None:
        self.retire()
        if self._retired:
            self._wake_sweeper()  # it tells when they are empty
        try:
            async with asyncio.timeout(grace_s):
                while self._retired:
                    self._emptied.clear()
                    await self._emptied.wait()
        except TimeoutError:
            pass
        for pool in self._retired:
            pool.abort()

    # Pools

    def _pool(self, url: httpx.URL) -> Pool:
        """The pool for `url`, by its parts; next time by its identity."""
        origin = Origin.of(url)
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = Pool(self._dialler(origin), self._limits, self._wake_sweeper)
            pool.retired = self._kept is not None and origin not in self._kept
        if len(self._by_url) < _MAX_KNOWN_URLS:
            self._by_url[id(url)] = (url, pool)
        return pool

    def _dialler(self, origin: Origin) -> Dialler:
        try:
            tls = Contexts(context_for, self._tls) if origin.scheme == "https" else None
        except TlsMisconfigured as problem:
            raise TlsFailed(f"{origin}: {problem}") from problem
        return self._dialler_of(origin, tls)

    def _dialler_of(self, origin: Origin, tls: Contexts | None) -> Dialler:
        return Dialler(origin, resolver=self._resolver, tls=tls, server_name=self._tls.sni)

    def _set_aside(self, origin: Origin) -> None:
        pool = self._pools.pop(origin)
        pool.retire()
        if not pool.empty:
            self._retired.append(pool)

    # The sweeper

    def _start(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        return self._loop

    def _wake_sweeper(self) -> None:
        if self._sweeper is None:
            assert self._loop is not None
            self._sweeper = self._loop.call_later(self._sweep_s, self._sweep)

    def _sweep(self) -> None:
        """Look after all pools that have connections; rests while there is none."""
        assert self._loop is not None
        self._sweeper = None
        now = self._loop.time()
        pools = [pool for pool in (*self._pools.values(), *self._retired) if not pool.empty]
        try:
            for pool in pools:
                pool.sweep(now)
        finally:
            if not all(pool.empty for pool in pools):
                self._wake_sweeper()
        self._forget_empty()

    def _forget_empty(self) -> None:
        for origin, pool in list(self._pools.items()):
            if pool.retired and pool.empty:
                del self._pools[origin]
                self._by_url.clear()
        self._retired = [pool for pool in self._retired if not pool.empty]
        if not self._retired:
            self._emptied.set()


def _seconds(timeouts: Mapping[str, float | None], name: str) -> float:
    seconds = timeouts.get(name)
    return NEVER if seconds is None else seconds


def _patience(timeouts: Mapping[str, float | None], deadline: float) -> Patience:
    return Patience(
        connect_s=_seconds(timeouts, "connect"), pool_s=_seconds(timeouts, "pool"), deadline=deadline
    )


async def _acquired(pool: Pool, request: httpx.Request, patience: Patience, *, fresh: bool) -> Connection:
    """A connection that was not idle; the request is told what opening it took."""
    try:
        return await pool.acquire(patience, fresh=fresh)
    finally:
        if patience.connecting_s is not None:
            request.extensions["connecting_s"] = patience.connecting_s


def _about(failure: httpx.TransportError, request: httpx.Request) -> httpx.TransportError:
    """A failure before anything was sent, as callers expect it."""
    failure.request = request
    return with_progress(failure, NOTHING_SENT)


def _response(
    connection: Connection, pool: Pool, request: httpx.Request, task: "asyncio.Task[None] | None"
) -> httpx.Response:
    reader = connection.reader
    stream = ResponseBody(connection, pool, task)
    extensions = {
        "http_version": _VERSIONS[reader.version],
        "reason_phrase": reader.reason,
        "reused": connection.reused,
        "trailers": stream.trailers,
    }
    return slim.response(reader.status, reader.headers, stream, extensions, request)


async def _upload(connection: Connection, request: httpx.Request, body: bytes | None, length: int) -> None:
    """What is left of the request after the first write: a streamed body, or waiting until a large one has left."""
    if body is None:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        await upload.pump(connection, request.stream, length)
    else:
        await upload.flush(connection)


def _tell(reader: ResponseReader, listener: Callable[[int, list[slim.Pair]], None] | None) -> None:
    """Pass on informational responses that have come in."""
    heads, reader.informational = reader.informational or [], None
    if listener is not None:
        for status, headers in heads:
            listener(status, headers)


async def _give_up(
    failure: BaseException,
    request: httpx.Request,
    pool: Pool,
    connection: Connection,
    taken_at: float,
    task: "asyncio.Task[None] | None",
) -> None:
    """Whatever ended the request before its answer: give back the connection (it is closed unless clean)."""
    pool.release(connection)
    if isinstance(failure, StaleConnection):
        pool.met_stale(connection, taken_at)
    if isinstance(failure, httpx.TransportError):
        failure.request = request
    await upload.stop(task)
