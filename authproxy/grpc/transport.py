"""I: gRPC to a service's targets, behind the interface of every transport. The only user of grpcio.

The request's body is the message, its header fields become metadata. The answer is JSON already (`calling`): retries,
breakers, balancing and deadlines act on it as on any other. A call that fails is an answer with the status of the
table in `statuses`; one that never left the gateway is a ConnectError.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import grpc
import httpx
from grpc import aio

from authproxy import problems
from authproxy.grpc.calling import CURRENT, Call, content_type, item, trouble
from authproxy.grpc.messages import BadDescriptors, Method, Methods
from authproxy.grpc.reflection import NotReflected, files_of
from authproxy.grpc.statuses import error_of, status_of
from authproxy.headers import Pair
from authproxy.shaping.pieces import MemoryBody
from authproxy.upstream import slim
from authproxy.upstream.base import PoolStats, Transport
from authproxy.upstream.errors import NOTHING_SENT, DeadlineExceeded, Progress, TlsFailed, with_progress
from authproxy.upstream.tls import TlsOptions
from resilience.clock import http_date, monotonic, timestamp

LARGEST_MESSAGE: Final = 16 << 20
FRESH_S: Final = 300.0
"""How long descriptors are taken as they are before the server is asked again."""
RETRY_S: Final = 5.0
REFLECTION_S: Final = 5.0
_SENT: Final = Progress(reused=True, wrote=True, response_started=False)
_NOT_METADATA: Final = frozenset(
    {
        b"host",
        b"content-length",
        b"content-type",
        b"transfer-encoding",
        b"connection",
        b"te",
        b"accept-encoding",
        b"user-agent",
        b"x-request-timeout-ms",
    }
)
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
_DETAILS: Final = "grpc-status-details-bin"
_UNSENT: Final = (
    "failed to connect",
    "connections to all backends failing",
    "dns resolution failed",
    "empty address",
)


class GrpcTransport(Transport):
    """See `base` for requests' extensions."""

    def __init__(self, tls: TlsOptions | None = None) -> None:
        self._tls = tls or TlsOptions()
        self._channels: dict[str, aio.Channel] = {}
        self._methods: dict[str, tuple[Methods, float]] = {}
        self._asking: dict[str, asyncio.Task[str]] = {}

    # Calls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call = CURRENT.get()
        if call is None:
            raise with_progress(httpx.LocalProtocolError("the request is no gRPC call"), NOTHING_SENT)
        deadline: float = request.extensions["deadline"]
        left_s = deadline - asyncio.get_running_loop().time()
        stub = self._channel(request.url).unary_stream(call.method.path)
        running = stub(
            call.message,
            timeout=None if call.method.is_streaming else max(left_s, 0.001),
            metadata=_metadata(slim.raw_pairs(request)),
        )
        is_kept = False
        try:
            async with asyncio.timeout_at(deadline):
                first = await running.read()
            if first is aio.EOF:
                await _raise_for(running)
                if not call.method.is_streaming:
                    return self._broken(request, call, "The service ended its answer without a message.")
            response = await self._answer(request, call, running, first)
            is_kept = call.method.is_streaming
            return response
        except TimeoutError:
            raise with_progress(DeadlineExceeded("no message by the request's deadline"), _SENT) from None
        except aio.AioRpcError as failure:
            return self._failed(request, call, failure, deadline)
        finally:
            if not is_kept:
                running.cancel()

    async def _answer(self, request: httpx.Request, call: Call, running: Any, first: Any) -> httpx.Response:
        headers: list[Pair] = [(b"content-type", content_type(call)), (b"date", http_date())]
        if call.method.is_streaming:
            headers.append((b"cache-control", b"no-cache"))
            headers += _chosen(await running.initial_metadata(), call)
            read_s = request.extensions.get("timeout", {}).get("read")
            body = StreamBody(self, call, running, first, read_s)
            return slim.response(200, headers, body, {}, request)
        written = call.method.decode(first)
        if written is None:
            return self._broken(request, call, "The service's message does not fit its descriptor.")
        await running.read()
        await _raise_for(running)
        headers += _chosen((*await running.initial_metadata(), *await running.trailing_metadata()), call)
        return _whole(request, 200, headers, written)

    def error(self, call: Call, failure: aio.AioRpcError) -> Any:
        """The refusal that stands for a status."""
        status = status_of(failure.code().value[0])
        details: list[Any] = []
        for name, value in failure.trailing_metadata() or ():
            if name == _DETAILS and isinstance(value, bytes) and self._methods:
                known = self._methods.get(call.method.path[1:].partition("/")[0])
                details = known[0].details(value) if known else []
        return error_of(status, failure.details() or "", details, service=call.service)

    def _failed(
        self, request: httpx.Request, call: Call, failure: aio.AioRpcError, deadline: float
    ) -> httpx.Response:
        code, said = failure.code(), failure.details() or ""
        now = asyncio.get_running_loop().time()
        if code is grpc.StatusCode.DEADLINE_EXCEEDED and now >= deadline - 0.005:
            raise with_progress(DeadlineExceeded("no answer by the request's deadline"), _SENT) from failure
        if code is grpc.StatusCode.UNAVAILABLE and said.lower().startswith(_UNSENT):
            raise with_progress(
                httpx.ConnectError("the target could not be reached"), NOTHING_SENT
            ) from failure
        return _refused(request, self.error(call, failure), _chosen(failure.trailing_metadata() or (), call))

    def _broken(self, request: httpx.Request, call: Call, message: str) -> httpx.Response:
        return _refused(request, problems.bad_answer(call.service, message), [])

    # Descriptors

    async def method(self, urls: Sequence[httpx.URL], service: str, name: str) -> Method | str:
        """The method by what the targets tell of it; a text for people says why it is not to be had.

        Stale descriptors are used while new ones are asked for, and while nobody answers.
        """
        known = self._methods.get(service)
        if known is None:
            why = await asyncio.shield(self._ask(urls, service))
            known = self._methods.get(service)
            if known is None:
                return why
        elif monotonic() >= known[1]:
            self._ask(urls, service)
        found = known[0].find(service, name)
        if found is None:
            return f'The service "{service}" has no method "{name}".'
        return found

    def _ask(self, urls: Sequence[httpx.URL], service: str) -> "asyncio.Task[str]":
        """One at a time for each service."""
        task = self._asking.get(service)
        if task is None:
            task = self._asking[service] = asyncio.create_task(self._learn(tuple(urls), service))
            task.add_done_callback(lambda _task: self._asking.pop(service, None))
        return task

    async def _learn(self, urls: Sequence[httpx.URL], service: str) -> str:
        why = "The service has no target to ask."
        for url in urls:
            channel = self._channel(url)

            async def ask(path: str, message: bytes, channel: aio.Channel = channel) -> bytes | None:
                return await _asked(channel, path, message)

            try:
                async with asyncio.timeout(REFLECTION_S):
                    self._methods[service] = Methods(await files_of(service, ask)), monotonic() + FRESH_S
                return ""
            except NotReflected as problem:
                why = str(problem)
            except BadDescriptors as problem:
                why = f"The server's descriptors do not fit together: {problem}"
            except TimeoutError:
                why = "The server did not answer in time."
            except aio.AioRpcError as failure:
                why = f"The server could not be asked: {failure.code().name}"
        if service in self._methods:
            self._methods[service] = self._methods[service][0], monotonic() + RETRY_S
        return why

    # Channels

    def _channel(self, url: httpx.URL) -> aio.Channel:
        key = str(url)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = self._opened(url)
        return channel

    def _opened(self, url: httpx.URL) -> aio.Channel:
        options: list[tuple[str, Any]] = list(_OPTIONS)
        address = f"unix:{url.path}" if url.scheme == "unix" else url.netloc.decode("ascii")
        if url.scheme != "https":
            return aio.insecure_channel(address, options=options)
        if url.port is None:
            address += ":443"
        if self._tls.sni:
            options += [
                ("grpc.ssl_target_name_override", self._tls.sni),
                ("grpc.default_authority", self._tls.sni),
            ]
        ca, cert, key = (_pem(each) for each in (self._tls.ca, self._tls.cert, self._tls.key))
        return aio.secure_channel(address, grpc.ssl_channel_credentials(ca, key, cert), options=options)

    def keep_only(self, urls: Iterable[httpx.URL]) -> None:
        """Channels to others are closed, after the calls that they carry."""
        kept = {str(url) for url in urls}
        for key in self._channels.keys() - kept:
            channel = self._channels.pop(key)
            closing = asyncio.get_running_loop().create_task(channel.close(60.0))
            _CLOSING.add(closing)
            closing.add_done_callback(_CLOSING.discard)

    def retire(self) -> None:
        """No target is left."""
        self.keep_only(())

    def stats(self) -> Mapping[str, PoolStats]:
        """Unknown: grpcio keeps its numbers to itself."""
        return {}

    async def aclose(self, *, grace_s: float = 0.0) -> None:
        channels, self._channels = list(self._channels.values()), {}
        for task in list(self._asking.values()):
            task.cancel()
        await asyncio.gather(*(channel.close(grace_s) for channel in channels))


_CLOSING: Final[set["asyncio.Task[None]"]] = set()


class StreamBody(httpx.AsyncByteStream):
    """The messages of a stream as they come; closing it ends the call."""

    def __init__(
        self, transport: GrpcTransport, call: Call, running: Any, first: Any, read_s: float | None
    ) -> None:
        self._transport = transport
        self._call = call
        self._running = running
        self._first = first
        self._read_s = read_s
        self.released = False

    def take(self) -> tuple[bytes, bool]:
        first, self._first = self._first, None
        if first is aio.EOF:
            self._end()
            return b"", True
        return (b"", self.released) if first is None else self._written(first)

    async def next(self) -> tuple[bytes, bool]:
        if self.released:
            return b"", True
        if self._first is not None:
            return self.take()
        try:
            async with asyncio.timeout(self._read_s):
                message = await self._running.read()
            if message is aio.EOF:
                await _raise_for(self._running)
                self._end()
                return b"", True
        except TimeoutError:
            return self._broke(
                problems.bad_answer(self._call.service, "The service sent nothing for too long.")
            )
        except aio.AioRpcError as failure:
            return self._broke(self._transport.error(self._call, failure))
        return self._written(message)

    def _written(self, message: bytes) -> tuple[bytes, bool]:
        data = self._call.method.decode(message)
        if data is None:
            return self._broke(
                problems.bad_answer(self._call.service, "A message does not fit its descriptor.")
            )
        return item(self._call, data), False

    def _broke(self, why: Any) -> tuple[bytes, bool]:
        self._end()
        error = {"code": why.code.value, "message": why.message, "details": dict(why.details)}
        return trouble(self._call, error), True

    def _end(self) -> None:
        self.released = True
        self._running.cancel()

    def trailers(self) -> list[Pair]:
        return []

    async def __aiter__(self) -> AsyncIterator[bytes]:
        done = False
        while not done:
            data, done = await self.next()
            if data:
                yield data

    async def aclose(self) -> None:
        self._end()


async def _raise_for(running: Any) -> None:
    """Raises AioRpcError unless the call has ended well."""
    code = await running.code()
    if code is not grpc.StatusCode.OK:
        raise aio.AioRpcError(
            code, await running.initial_metadata(), await running.trailing_metadata(), await running.details()
        )


async def _asked(channel: aio.Channel, path: str, message: bytes) -> bytes | None:
    """A conversation of one message, which looks like a call with one; None where the server has no such method."""
    talking = channel.unary_stream(path)(message, timeout=REFLECTION_S)
    try:
        answer = await talking.read()
        if answer is aio.EOF:
            await _raise_for(talking)
            raise NotReflected("The server's reflection does not answer.")
        return bytes(answer)
    except aio.AioRpcError as failure:
        if failure.code() is grpc.StatusCode.UNIMPLEMENTED:
            return None
        raise
    finally:
        talking.cancel()


def _pem(value: str | None) -> bytes | None:
    if value is None or "-----BEGIN " in value:
        return None if value is None else value.encode()
    try:
        return Path(value).read_bytes()
    except OSError as problem:
        raise with_progress(
            TlsFailed(f"a certificate or key cannot be read: {problem}"), NOTHING_SENT
        ) from problem


def _metadata(pairs: list[Pair]) -> aio.Metadata:
    return aio.Metadata(
        *(
            (name.decode("ascii"), value.decode("ascii", "replace").replace("\ufffd", "?"))
            for name, value in pairs
            if name not in _NOT_METADATA and not name.startswith(b"grpc-") and not name.endswith(b"-bin")
        )
    )


def _chosen(metadata: Any, call: Call) -> list[Pair]:
    if not call.answer_metadata:
        return []
    return [
        (name.encode(), value.encode("latin-1", "replace"))
        for name, value in metadata
        if name.encode() in call.answer_metadata and isinstance(value, str)
    ]


def _whole(request: httpx.Request, status: int, headers: list[Pair], data: bytes) -> httpx.Response:
    headers.append((b"content-length", b"%d" % len(data)))
    return slim.response(status, headers, MemoryBody(data), {}, request)


def _refused(request: httpx.Request, why: Any, more: list[Pair]) -> httpx.Response:
    told = {name: value for name, value in slim.raw_pairs(request)}
    request_id = told.get(b"x-request-id", b"").decode("latin-1")
    data = problems.envelope(why, request_id=request_id, timestamp=timestamp())
    headers = [(b"content-type", b"application/json"), (b"date", http_date()), *why.headers, *more]
    return _whole(request, why.status, headers, data)
