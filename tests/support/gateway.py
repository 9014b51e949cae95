"""I: A whole data plane inside the test's own event loop: our server's protocol, the pipeline, one fixed document."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from authproxy import https
from authproxy.admission import Gatekeeper
from authproxy.caching.cache import Cache
from authproxy.exchange import ASGIApp, Exchange, Receive, Scope, Send
from authproxy.forwarded import ForwardingFields
from authproxy.mirroring import Mirrors
from authproxy.pipeline import Pipeline
from authproxy.securityfields import security_fields
from authproxy.services import Upstreams
from gateway_project.server.draining import DrainState
from gateway_project.server.limits import ServerLimits
from gateway_project.server.serving import GatewayServer, LeavingTimes, running, server_config
from resilience.state import StateTable
from routing.compiler import CompileOptions, compile_snapshot
from routing.shapes.cors import default_cors
from routing.snapshot import Snapshot
from routing.traffic import TrafficDefaults
from tests.support.callers import gatekeeper, planner

PUBLIC = {"level": "public"}


def route(name: str = "r", *, path: str = "/", **keys: Any) -> dict[str, Any]:
    """A public route; `match` keys other than the path go into `match=`."""
    match = {"path": path, **keys.pop("match", {})}
    return {"name": name, "match": match, "auth": PUBLIC, **keys}


def document(*routes: Mapping[str, Any], services: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A document of `routes`, and of services by name: a URL, several, or a whole service."""
    listed = []
    for name, value in (services or {}).items():
        if isinstance(value, str):
            value = [value]
        if isinstance(value, list):
            value = {"targets": [{"url": url} for url in value]}
        listed.append({"name": name, **value})
    return {"version": 1, "services": listed, "routes": list(routes)}


async def builtin(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Stands where health and Django are."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7")]})
    await send({"type": "http.response.body", "body": b"builtin"})


@dataclass
class DataPlane:
    """What a test holds: the pipeline, and every exchange that it finished."""

    finished: list[Exchange] = field(default_factory=list)
    trusted_proxies: tuple[str, ...] = ()
    port: int = 0
    gatekeeper: Gatekeeper = field(default_factory=gatekeeper)
    cache: Cache = field(default_factory=Cache)
    mirrors: Mirrors = field(default_factory=Mirrors)
    origins: tuple[str, ...] = ()
    """CORS_ALLOWED_ORIGINS."""
    is_safe: bool = False
    """SECURITY_HEADERS, where HTTPS is promised."""
    enforce_https: Literal["off", "redirect", "refuse"] = "off"
    more_doors: dict[str, Any] = field(default_factory=dict)
    """Fields of `authproxy.plan.Doors`, such as `tunnel` and `bus`."""
    builtin_socket: ASGIApp | None = None

    def __post_init__(self) -> None:
        self.upstreams = Upstreams(StateTable(), rng=Random(1))
        self._done = asyncio.Condition()
        self._snapshot: Snapshot | None = None
        self.pipeline = Pipeline(
            snapshot=self._current,
            builtin=builtin,
            builtin_socket=self.builtin_socket,
            recognise=self.gatekeeper.recognise,
            forwarding=ForwardingFields(self.trusted_proxies),
            refuse_http=https.refusal_for(self.enforce_https),
            cors=default_cors(self.origins),
            safety=security_fields(is_on=self.is_safe, promises_https=True),
            on_finish=(self._finish,),
        )

    def publish(self, raw: Mapping[str, Any]) -> None:
        """Compile and swap, as the registry does."""
        options = self.options()
        number = self._snapshot.revision + 1 if self._snapshot else 1
        self._snapshot = compile_snapshot(raw, revision=number, options=options, previous=self._snapshot)
        self.upstreams.reconcile(self._snapshot, lambda transport: self._spawn(transport.aclose()))

    def options(self) -> CompileOptions:
        """What the compiler is told beside the document."""
        return CompileOptions(
            env={},
            api_prefix="/api/v1",
            service_timeout_s=30.0,
            traffic=TrafficDefaults(cors=default_cors(self.origins)),
            prepare_route=planner(self.gatekeeper, cache=self.cache, mirrors=self.mirrors, **self.more_doors),
            prepare_service=self.upstreams.prepare,
        )

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the server calls."""
        door = self.pipeline.connect if scope["type"] == "websocket" else self.pipeline
        await door(scope, receive, send)

    async def until_finished(self, count: int, *, within_s: float = 5.0) -> list[Exchange]:
        """Wait until `count` requests have reached the pipeline's end."""
        async with asyncio.timeout(within_s), self._done:
            await self._done.wait_for(lambda: len(self.finished) >= count)
        return self.finished

    def _current(self) -> Snapshot:
        assert self._snapshot is not None
        return self._snapshot

    def _finish(self, exchange: Exchange) -> None:
        self.finished.append(exchange)
        self._spawn(self._notify())

    async def _notify(self) -> None:
        async with self._done:
            self._done.notify_all()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks = {*getattr(self, "_tasks", set()), task}


@asynccontextmanager
async def data_plane(
    raw: Mapping[str, Any],
    *,
    trusted_proxies: tuple[str, ...] = (),
    keeper: Gatekeeper | None = None,
    **more: Any,
) -> AsyncIterator[DataPlane]:
    """Serve `raw` on a free port of 127.0.0.1. Nobody is known unless `keeper` knows them."""
    plane = DataPlane(trusted_proxies=trusted_proxies, gatekeeper=keeper or gatekeeper(), **more)
    async with serving(plane, raw):
        yield plane


@asynccontextmanager
async def serving(plane: DataPlane, raw: Mapping[str, Any]) -> AsyncIterator[None]:
    """The same, with a data plane that was made before."""
    plane.publish(raw)
    listener = socket.create_server(("127.0.0.1", 0))
    plane.port = listener.getsockname()[1]
    drain = DrainState()
    config = server_config(plane.application, limits=ServerLimits(half_close_idle_s=0.1), drain=drain)
    config.lifespan = "off"
    server = GatewayServer(config, drain, times=LeavingTimes(grace_s=0, drain_timeout_s=0))
    async with running(server, [listener]):
        try:
            yield
        finally:
            await plane.upstreams.aclose()
            await plane.cache.stop()


class RawClient:
    """A client that sends the bytes it is told to and reads answers without interpreting much."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "RawClient":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.writer.close()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def get(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> "Answer":
        lines = [f"{method} {path} HTTP/1.1", "Host: gateway.test", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        await self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return await self.answer(head_only=method == "HEAD")

    async def head(self) -> "Answer":
        """The next response head, interim ones included."""
        async with asyncio.timeout(10):
            raw = await self.reader.readuntil(b"\r\n\r\n")
        lines = raw.decode("latin-1").split("\r\n")
        pairs = [tuple(line.split(": ", 1)) for line in lines[1:] if line]
        return Answer(int(lines[0].split()[1]), [(name.lower(), value) for name, value in pairs])

    async def answer(self, *, head_only: bool = False) -> "Answer":
        """The next whole response; interim ones are collected in `interim`."""
        interim = []
        answer = await self.head()
        while answer.status < 200:
            interim.append(answer)
            answer = await self.head()
        answer.interim = interim
        if not head_only and answer.status not in (204, 304):
            answer.body = await self._body(answer)
        return answer

    async def _body(self, answer: "Answer") -> bytes:
        async with asyncio.timeout(10):
            if (length := answer.header("content-length")) is not None:
                return await self.reader.readexactly(int(length))
            if answer.header("transfer-encoding") == "chunked":
                return await self._chunks(answer)
            return await self.reader.read()

    async def _chunks(self, answer: "Answer") -> bytes:
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readline()
        while (line := (await self.reader.readline()).strip()) != b"":
            name, _, value = line.decode().partition(": ")
            answer.trailers.append((name.lower(), value))
        return body

    async def at_end(self) -> bool:
        """Did the server close or reset the connection? Reads what is left."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True


def leave(client: RawClient) -> None:
    """The client resets its connection: it wants no answer any more."""
    sock = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    trailers: list[tuple[str, str]] = field(default_factory=list)
    interim: list["Answer"] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]
