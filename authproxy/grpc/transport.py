"""I: gRPC to a service's targets, behind the interface of every transport. The only user of grpcio.

The request's body is the message, its header fields become metadata. The answer is JSON already (`calling`): retries,
breakers, balancing and deadlines act on it as on any other. A call that fails is an answer with the status of the
table in `statuses`; one that never left the gateway is a ConnectError.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import grpc
import httpx
from grpc import aio

from authproxy import problems
from authproxy.grpc.calling import CURRENT, Call, content_type
from authproxy.grpc.channels import READY, Channels
from authproxy.grpc.healthcheck import ask_health
from authproxy.grpc.known import Descriptors
from authproxy.grpc.messages import Method
from authproxy.grpc.statuses import error_of, status_of
from authproxy.grpc.streams import StreamBody, raise_for
from authproxy.headers import Pair
from authproxy.shaping.pieces import MemoryBody
from authproxy.upstream import slim
from authproxy.upstream.base import PoolStats, Transport
from authproxy.upstream.errors import NOTHING_SENT, DeadlineExceeded, Progress, TlsFailed, with_progress
from authproxy.upstream.tls import TlsOptions
from resilience.clock import http_date, timestamp

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
_DETAILS: Final = "grpc-status-details-bin"
_UNSENT: Final = (
    "failed to connect",
    "connections to all backends failing",
    "dns resolution failed",
    "empty address",
)
_TLS: Final = ("ssl", "tls", "certificate", "peer name")
_TLS_SAID: Final = "the target's certificate or name is not as it should be, or it does not speak TLS"


class GrpcTransport(Transport):
    """See `base` for requests' extensions."""

    def __init__(self, tls: TlsOptions | None = None, *, descriptors: str | None = None) -> None:
        self._channels = Channels(tls or TlsOptions())
        self._known = Descriptors(self._channels, descriptors)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call = CURRENT.get()
        if call is None:
            raise with_progress(httpx.LocalProtocolError("the request is no gRPC call"), NOTHING_SENT)
        deadline: float = request.extensions["deadline"]
        channel = self._channels.get(request.url)
        if channel.get_state(try_to_connect=True) is not READY:
            await self._connect(channel, request, deadline)
        left_s = deadline - asyncio.get_running_loop().time()
        running = channel.unary_stream(call.method.path)(
            call.message,
            timeout=None if call.method.is_streaming else max(left_s, 0.001),
            metadata=_metadata(slim.raw_pairs(request)),
        )
        is_kept = False
        try:
            async with asyncio.timeout_at(deadline):
                first = await running.read()
            if first is aio.EOF:
                await raise_for(running)
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

    async def _connect(self, channel: aio.Channel, request: httpx.Request, deadline: float) -> None:
        """The request is told what opening a connection took, as other transports tell it. Raises ConnectTimeout and
        DeadlineExceeded."""
        connect_s = request.extensions.get("timeout", {}).get("connect")
        until = deadline
        if connect_s is not None:
            until = min(deadline, asyncio.get_running_loop().time() + connect_s)
        try:
            async with asyncio.timeout_at(until):
                await self._channels.connected(channel, request.extensions)
        except TimeoutError:
            late: httpx.TransportError
            if until == deadline:
                late = DeadlineExceeded("no connection by the request's deadline")
            else:
                late = httpx.ConnectTimeout(f"not connected in {connect_s:g} s")
            raise with_progress(late, NOTHING_SENT) from None

    async def _answer(self, request: httpx.Request, call: Call, running: Any, first: Any) -> httpx.Response:
        headers: list[Pair] = [(b"content-type", content_type(call)), (b"date", http_date())]
        if call.method.is_streaming:
            headers.append((b"cache-control", b"no-cache"))
            headers += _chosen(await running.initial_metadata(), call)
            read_s = request.extensions.get("timeout", {}).get("read")
            body = StreamBody(call, running, first, read_s=read_s, error=self.error)
            return slim.response(200, headers, body, {}, request)
        written = call.method.decode(first)
        if written is None:
            return self._broken(request, call, "The service's message does not fit its descriptor.")
        await running.read()
        await raise_for(running)
        headers += _chosen((*await running.initial_metadata(), *await running.trailing_metadata()), call)
        return _whole(request, 200, headers, written)

    def error(self, call: Call, failure: aio.AioRpcError) -> Any:
        """The refusal that stands for a status."""
        status = status_of(failure.code().value[0])
        details: list[Any] = []
        for name, value in failure.trailing_metadata() or ():
            if name == _DETAILS and isinstance(value, bytes):
                details = self._known.details(call.method.path[1:].partition("/")[0], value)
        return error_of(status, failure.details() or "", details, service=call.service)

    def _failed(
        self, request: httpx.Request, call: Call, failure: aio.AioRpcError, deadline: float
    ) -> httpx.Response:
        code, said = failure.code(), failure.details() or ""
        now = asyncio.get_running_loop().time()
        if code is grpc.StatusCode.DEADLINE_EXCEEDED and now >= deadline - 0.005:
            raise with_progress(DeadlineExceeded("no answer by the request's deadline"), _SENT) from failure
        if code is grpc.StatusCode.UNAVAILABLE and said.lower().startswith(_UNSENT):
            if any(word in said.lower() for word in _TLS):
                raise with_progress(TlsFailed(_TLS_SAID), NOTHING_SENT) from failure
            raise with_progress(
                httpx.ConnectError("the target could not be reached"), NOTHING_SENT
            ) from failure
        return _refused(request, self.error(call, failure), _chosen(failure.trailing_metadata() or (), call))

    def _broken(self, request: httpx.Request, call: Call, message: str) -> httpx.Response:
        return _refused(request, problems.bad_answer(call.service, message), [])

    async def method(self, urls: Sequence[httpx.URL], service: str, name: str) -> Method | str:
        """See `Descriptors.method`."""
        return await self._known.method(urls, service, name)

    async def check(self, url: httpx.URL, name: str, timeout_s: float) -> str:
        """What grpc.health.v1 says of `name`, over a connection of its own: SERVING, or what it is instead."""
        channel = self._channels.opened(url)
        try:
            return await ask_health(channel, name, timeout_s)
        finally:
            await channel.close()

    def keep_only(self, urls: Iterable[httpx.URL]) -> None:
        """Channels to others are closed, after the calls that they carry."""
        self._channels.keep_only(urls)

    def retire(self) -> None:
        """No target is left."""
        self.keep_only(())

    def stats(self) -> Mapping[str, PoolStats]:
        """Unknown: grpcio keeps its numbers to itself."""
        return {}

    async def aclose(self, *, grace_s: float = 0.0) -> None:
        self._known.forget()
        await self._channels.aclose(grace_s)


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
