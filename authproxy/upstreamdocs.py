"""I: The OpenAPI documents of services: fetched beside the traffic, kept while a service does not answer.

Each worker that answers `/docs` asks for itself: through the service's own connections, at one of its targets, within
seconds, up to a size, following nothing. What does not answer keeps the document that it gave last.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote

import httpx

from authproxy.headers import Pair
from authproxy.moments import rfc3339
from authproxy.services import Endpoint, ServiceRuntime
from authproxy.upstream import errors, slim
from authproxy.upstream.body import ResponseBody
from resilience.clock import monotonic, wall_clock
from routing.openapi.portal import Described
from routing.openapi.reading import NotOpenApi, Source
from routing.openapi.vetting import read
from routing.snapshot import CompiledService, OpenApiSource, Snapshot

LONGEST: Final = 2 * 1024 * 1024
TIMEOUT_S: Final = 10.0
AFTER_FAILURE_S: Final = 30.0
MOST_TARGETS: Final = 3
MOST_AT_ONCE: Final = 8
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_FIELDS: Final[tuple[Pair, ...]] = (
    (b"accept", b"application/json, application/yaml;q=0.9, */*;q=0.1"),
    (b"accept-encoding", b"identity"),  # what is decoded may be much longer than what came
    (b"user-agent", b"torana-docs"),
)
_NOTHING: Final = httpx.ByteStream(b"")
_AS_WRITTEN: Final = "/%?&=:@!$'()*+,;~-._"
_log = logging.getLogger(__name__)


class NoDocument(Exception):  # noqa: N818 - an outcome
    """None came; str() says why."""


@dataclass(frozen=True, slots=True)
class Came:
    """An answer; a `body` of None: what is known is still so."""

    body: bytes | None
    validators: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a service. Moments are epoch seconds; `due` is monotonic."""

    asked: tuple[object, ...]
    """What it was asked by: where the service is, and where its document."""
    due: float
    source: Source | None = None
    digest: bytes = b""
    """Of what `source` was read from."""
    fetched_at: float = 0.0
    failed_since: float | None = None
    failures: int = 0
    """One after the other, until now."""
    failure: str = ""
    validators: tuple[Pair, ...] = ()

    @property
    def note(self) -> str:
        if self.failed_since is None:
            return "" if self.source is not None else "its document has not been fetched yet"
        if self.source is None:
            return f"it has no document: {self.failure}"
        since = _moment(self.failed_since)
        return f"this is its document of {_moment(self.fetched_at)}; since {since}: {self.failure}"


class UpstreamDocuments:
    """One per worker. `current` answers the snapshot that is served."""

    def __init__(self, current: Callable[[], Snapshot | None], *, timeout_s: float = TIMEOUT_S) -> None:
        self._current = current
        self._timeout_s = timeout_s
        self._known: dict[str, Known] = {}
        self._woken = asyncio.Event()
        self._turns = asyncio.Semaphore(MOST_AT_ONCE)
        self._asking: dict[str, asyncio.Task[None]] = {}
        """One task for each service that is being asked: who hangs delays nobody else."""
        self._task: asyncio.Task[None] | None = None
        self.version = 0
        """Another one whenever `described` tells something else."""

    def start(self) -> None:
        """Needs a running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Asks nobody any more."""
        if self._task is not None:
            tasks = [self._task, *self._asking.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def reconcile(self) -> None:
        """After a swap."""
        self._woken.set()

    def described(self) -> Sequence[Described]:
        """All services that say where their document is, by name. Any thread may ask."""
        known = self._known
        return [
            Described(name, known[name].source, known[name].note)
            if name in known
            else Described(name, None, "its document has not been fetched yet")
            for name in sorted(_documented(self._current()))
        ]

    def snapshot(self) -> Snapshot | None:
        """The one that is served."""
        return self._current()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            pause = self._round()
            with suppress(
                TimeoutError
            ):  # not wait_for, which may swallow a cancellation that comes with the event
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    def _round(self) -> float:
        """Has those asked whom it is time to ask; seconds until the next one. Whoever has been asked wakes it."""
        services = _documented(self._current())
        if gone := self._known.keys() - services.keys():
            self._known = {name: each for name, each in self._known.items() if name not in gone}
            self.version += 1
        for service in services.values():
            if service.name not in self._asking and self._is_due(service):
                self._asking[service.name] = asyncio.create_task(self._refresh(service))
        dues = [each.due for name, each in self._known.items() if name not in self._asking]
        return max(0.05, min(dues, default=monotonic() + 3600.0) - monotonic())

    def _is_due(self, service: CompiledService) -> bool:
        known = self._known.get(service.name)
        return known is None or known.asked != _asked(service) or known.due <= monotonic()

    async def _refresh(self, service: CompiledService) -> None:
        known, asked = self._known.get(service.name), _asked(service)
        if known is None:
            known = Known(asked, 0.0)
        elif known.asked != asked:  # what the other place said of its document is not about this one
            known = replace(known, asked=asked, validators=(), failures=0)
        try:
            async with self._turns:
                found = await self._ask(service, known)
        except Exception:
            _log.exception("the document of a service could not be asked for")
            found = replace(known, due=monotonic() + AFTER_FAILURE_S)
        self._known = {**self._known, service.name: found}
        del self._asking[service.name]
        self._woken.set()
        if (found.source, found.note) != (known.source, known.note):
            self.version += 1

    async def _ask(self, service: CompiledService, known: Known) -> Known:
        where = service.openapi
        assert where is not None
        try:
            came = await self._fetch(service, where, known.validators)
            if came.body is None:
                source, digest, validators = known.source, known.digest, known.validators
            else:  # Parsing is for a thread: two megabytes take longer than requests may be held up.
                source, digest = await asyncio.to_thread(_read, came.body, known)
                validators = came.validators
        except (NoDocument, NotOpenApi) as failure:
            since = wall_clock() if known.failed_since is None else known.failed_since
            due = monotonic() + min(where.refresh_s, AFTER_FAILURE_S, 2.0**known.failures)
            return replace(
                known, due=due, failures=known.failures + 1, failed_since=since, failure=str(failure)
            )
        due = monotonic() + where.refresh_s
        return Known(known.asked, due, source, digest, wall_clock(), validators=validators)

    async def _fetch(self, service: CompiledService, where: OpenApiSource, seen: tuple[Pair, ...]) -> Came:
        runtime: ServiceRuntime = service.runtime
        failure = NoDocument("the service has no target")
        for endpoint in runtime.endpoints[:MOST_TARGETS]:
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await _get(runtime, endpoint, where.path, seen, self._timeout_s)
            except TimeoutError:
                failure = NoDocument(f"no whole answer within {self._timeout_s:g} s")
            except httpx.TransportError as error:
                failure = NoDocument(f"it does not answer ({errors.outcome_of(error).value})")
            except NoDocument as error:
                failure = error
        raise failure


def _documented(snapshot: Snapshot | None) -> Mapping[str, CompiledService]:
    if snapshot is None:
        return {}
    return {name: each for name, each in snapshot.services.items() if each.openapi is not None}


def _read(body: bytes, known: Known) -> tuple[Source | None, bytes]:
    """The same object where it is the same document; raises NotOpenApi."""
    digest = sha256(body).digest()
    return (known.source if digest == known.digest else read(body)), digest


def _asked(service: CompiledService) -> tuple[object, ...]:
    return (service.openapi, service.protocol, service.tls, tuple(target.url for target in service.targets))


async def _get(
    runtime: ServiceRuntime, endpoint: Endpoint, path: str, seen: tuple[Pair, ...], timeout_s: float
) -> Came:
    extensions = {
        "target": endpoint.base_path + quote(path, safe=_AS_WRITTEN).encode(),
        "timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout_s),
        "deadline": asyncio.get_running_loop().time() + timeout_s,
    }
    headers = [endpoint.host, *_FIELDS, *seen]
    request = slim.request("GET", endpoint.url, headers, stream=_NOTHING, extensions=extensions)
    response = await runtime.transport.handle_async_request(request)
    body = slim.body(response)
    try:
        if response.status_code == _NOT_MODIFIED and seen:
            return Came(None)
        if response.status_code != _OK:
            is_elsewhere = response.has_redirect_location
            more = ", and redirects are not followed" if is_elsewhere else ""
            raise NoDocument(f"it answers {response.status_code} for {path}{more}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise NoDocument("its answer is compressed, which it was not asked for")
        return Came(await _whole(body), _validators(response))
    finally:
        await body.aclose()


async def _whole(body: ResponseBody) -> bytes:
    data, done = body.take()
    read = bytearray(data)
    while True:
        if len(read) > LONGEST:
            raise NoDocument(f"its document has more than {LONGEST >> 20} MB")
        if done:
            return bytes(read)
        data, done = await body.next()
        read += data


def _validators(response: httpx.Response) -> tuple[Pair, ...]:
    """What the next request asks with (RFC 9110 section 13.1)."""
    fields = (("etag", b"if-none-match"), ("last-modified", b"if-modified-since"))
    return tuple(
        (name, value.encode("latin-1", "replace"))
        for field, name in fields
        if (value := response.headers.get(field))
    )


def _moment(at: float) -> str:
    return str(rfc3339(datetime.fromtimestamp(at, UTC)))


_bound: list[UpstreamDocuments] = []


def bind(documents: UpstreamDocuments) -> None:
    """Whoever shows the documentation in this process asks here."""
    _bound[:] = [documents]


def unbind(documents: UpstreamDocuments) -> None:
    """It does so no more."""
    if documents in _bound:
        _bound.clear()


def bound() -> UpstreamDocuments | None:
    """None where no gateway runs in this process."""
    return _bound[0] if _bound else None
