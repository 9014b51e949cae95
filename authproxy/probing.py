"""I: Asks a target how it is, the way requests reach it: the service's protocol, TLS and Unix sockets.

Each check has a connection of its own: a target is well if it takes new ones, a service whose connections are all taken
is not called ill, and what was kept from one check to the next would be stale. Over TLS that takes a handshake each
time, too, but most resume the session of a full one, at most five minutes old (`upstream.sessions`; not in HTTP/2). A
redirect is an answer like any other. The target's own path is put before the check's, as it is for requests. Of the
body no more than 64 KB is read.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

import httpx

from authproxy.headers import Pair
from authproxy.services import Endpoint, ServiceRuntime
from authproxy.upstream import errors, slim
from authproxy.upstream.base import Transport
from authproxy.upstream.dialling import Origin
from authproxy.upstream.sessions import Sessions
from authproxy.upstream.transport import transport_for
from resilience.clock import monotonic
from resilience.health import MOST_BODY, Answer, Failure
from resilience.prober import Watched
from routing.snapshot import CompiledService

_FIELDS: Final[tuple[Pair, ...]] = ((b"accept", b"*/*"), (b"user-agent", b"torana-health"))
OK: Final = 200
SERVING: Final = "SERVING"
_GONE: Final = Failure("the target is no longer configured")
_NOTHING: Final = httpx.ByteStream(b"")
_AS_WRITTEN: Final = "/%?&=:@!$'()*+,;~-._"


class _Known(NamedTuple):
    """A service as it was when it was asked last."""

    runtime: ServiceRuntime
    settings: tuple[object, ...]
    transport: Transport
    sessions: Sessions
    endpoints: dict[str, Endpoint]
    protocol: str


class Probing:
    """One per worker: the `Probe` of its prober. `services` answers what is configured now."""

    def __init__(self, services: Callable[[], Mapping[str, CompiledService]]) -> None:
        self._services = services
        self._known: dict[str, _Known] = {}

    async def __call__(self, service: str, target: str, path: str, timeout_s: float) -> Answer | Failure:
        """One GET, or one Check. Never raises for what a target does."""
        compiled = self._services().get(service)
        if compiled is None:
            return _GONE
        known = self._known.get(service)
        if known is None or known.runtime is not compiled.runtime:
            known = self._known[service] = _known(compiled, known)
        endpoint = known.endpoints.get(target)
        if endpoint is None:
            return _GONE
        try:
            if known.protocol == "grpc":
                return await _check(known.transport, endpoint, path, timeout_s)
            return await _get(known.transport, endpoint, path, timeout_s)
        except httpx.TransportError as failure:
            reason = f": {failure}" if str(failure) else ""
            return Failure(f"{errors.outcome_of(failure).value}{reason}")

    def watched(self) -> dict[str, Watched]:
        """What the prober is to watch: all targets of services that have checks, leased ones as well."""
        found: dict[str, Watched] = {}
        for name, service in self._services().items():
            if service.health is not None:
                runtime: ServiceRuntime = service.runtime
                names = tuple(endpoint.name for endpoint in runtime.endpoints)
                found[name] = Watched(service.health, names, runtime.state)
        return found

    def reconcile(self) -> list[Transport]:
        """After a swap: the transports that no check needs now, for the caller to close."""
        services = self._services()
        unused = []
        for name, known in list(self._known.items()):
            service = services.get(name)
            if service is None or service.health is None or _settings(service) != known.settings:
                unused.append(self._known.pop(name).transport)
            elif service.runtime is not known.runtime:
                self._known[name] = _known(service, known)
        return unused

    async def aclose(self) -> None:
        """Close every connection."""
        known, self._known = self._known, {}
        for each in known.values():
            await each.transport.aclose()


def _known(service: CompiledService, before: _Known | None) -> _Known:
    """The transport stays: `reconcile` takes away those whose settings have changed."""
    runtime: ServiceRuntime = service.runtime
    endpoints = {endpoint.name: endpoint for endpoint in runtime.endpoints}
    if before is not None:
        before.sessions.keep_only({Origin.of(endpoint.url) for endpoint in runtime.endpoints})
        return before._replace(runtime=runtime, endpoints=endpoints)
    sessions = Sessions()
    transport = transport_for(service, sessions)
    transport.retire()  # it keeps no connection from now on, nor anything else of a target
    return _Known(runtime, _settings(service), transport, sessions, endpoints, service.protocol)


def _settings(service: CompiledService) -> tuple[object, ...]:
    """What a transport depends on."""
    return (service.protocol, service.tls)


async def _check(transport: Transport, endpoint: Endpoint, name: str, timeout_s: float) -> Answer | Failure:
    """By grpc.health.v1."""
    began = monotonic()
    said: str = await transport.check(endpoint.url, name, timeout_s)  # type: ignore[attr-defined]
    return Answer(OK, b"", monotonic() - began) if said == SERVING else Failure(said)


async def _get(
    transport: Transport, endpoint: Endpoint, path: str, timeout_s: float
) -> Answer:  # fmt: skip
    extensions = {
        "target": endpoint.base_path + quote(path, safe=_AS_WRITTEN).encode(),
        "timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout_s),
        "deadline": asyncio.get_running_loop().time() + timeout_s,
    }
    headers = [endpoint.host, *_FIELDS]
    began = monotonic()
    request = slim.request("GET", endpoint.url, headers, stream=_NOTHING, extensions=extensions)
    response = await transport.handle_async_request(request)
    latency_s = monotonic() - began
    return Answer(response.status_code, await _beginning(response), latency_s)


async def _beginning(response: httpx.Response) -> bytes:
    """Of the body, which is closed in any case."""
    body = slim.body(response)
    read = bytearray()
    try:
        data, done = body.take()
        read += data
        while not done and len(read) < MOST_BODY:
            data, done = await body.next()
            read += data
    finally:
        await body.aclose()
    return bytes(read[:MOST_BODY])
