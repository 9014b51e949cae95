"""I: `GET /health/detailed`: for operators, how this worker, what it leans on, its neighbours and all services are."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from authproxy import problems
from authproxy.exchange import Receive, Scope, Send
from authproxy.opsaccess import OpsAccess, refusal_of
from authproxy.rejections import Rejection
from observability import components, resources, servicestates
from observability.components import UNHEALTHY, Check
from observability.health import READ_METHODS, send_json, send_refusal
from observability.status import overall as words_together
from resilience.clock import monotonic, timestamp
from routing.snapshot import CompiledService

Status = Literal["healthy", "degraded", "unhealthy"]
Workers = Callable[[], list[dict[str, Any]] | None]
FAILING: Final = frozenset({"failing", "silent"})


@dataclass(frozen=True, slots=True)
class Facts:
    """Where the report comes from; whatever is called answers at once, but for the checks."""

    version: str
    worker: str
    role: str
    revision: Callable[[], int | None]
    unready: Callable[[], str | None]
    """Why no traffic should come now, or None."""
    services: Callable[[], Mapping[str, CompiledService]]
    checks: Mapping[str, Check | None]
    workers: Workers
    """All that report to the database; None where nobody knows."""
    recent: Callable[[], Mapping[str, Any]] = dict
    """How services did in the last minute."""
    dropped: Callable[[], Mapping[str, int]] = dict
    """How much each queue of this worker has let go, of those that did."""


class Detailed:
    """An ASGI application. Of those who ask at the same time all get the same report."""

    def __init__(self, facts: Facts, *, api_prefix: str, access: OpsAccess, realm: str) -> None:
        self._facts = facts
        self._paths = frozenset({"/health/detailed", "/monitoring/health", f"{api_prefix}/health/detailed"})
        self._access = access
        self._realm = realm
        self._started = monotonic()
        self._under_way: asyncio.Task[tuple[int, bytes]] | None = None

    async def stop(self) -> None:
        """No report is finished that has begun."""
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.gather(self._under_way, return_exceptions=True)

    def serves(self, path: str) -> bool:
        """Whether this application has an answer for `path`."""
        return path.rstrip("/") in self._paths

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        rejection = self._refusal(scope)
        if rejection is not None:
            await send_refusal(send, scope, rejection)
            return
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.get_running_loop().create_task(self._report())
        status, body = await asyncio.shield(self._under_way)
        await send_json(send, status, body)

    def _refusal(self, scope: Scope) -> Rejection | None:
        if scope["method"] not in READ_METHODS:
            return problems.method_not_allowed(READ_METHODS)
        return refusal_of(scope, self._access, realm=self._realm)

    async def _report(self) -> tuple[int, bytes]:
        facts = self._facts
        leaned_on, used, services = await asyncio.gather(
            components.look(facts.checks),
            resources.look(started=self._started),
            servicestates.look(facts.services(), facts.recent()),
        )
        reason, workers = facts.unready(), facts.workers()
        status = overall(reason, leaned_on, services, workers or ())
        report: dict[str, Any] = {"status": status, "version": facts.version, "timestamp": timestamp()}
        if reason is not None:
            report["reason"] = reason
        own = {"name": facts.worker, "role": facts.role, "revision": facts.revision()}
        report |= {"worker": own, "components": leaned_on, "resources": used}
        report |= {"workers": workers, "services": services, "dropped": facts.dropped()}
        return 503 if status == "unhealthy" else 200, orjson.dumps(report)


def overall(
    unready: str | None,
    leaned_on: Mapping[str, Mapping[str, Any]],
    services: Mapping[str, Mapping[str, Any]],
    workers: Iterable[Mapping[str, Any]],
) -> Status:
    """Unhealthy: no request should come, or none would be sent anywhere. A gateway outlives its database and Redis."""
    word = words_together(tuple(each["status"] for each in services.values()))
    if unready is not None or word == "down":
        return "unhealthy"
    is_whole = all(each["status"] != UNHEALTHY for each in leaned_on.values())
    are_well = all(each["state"] not in FAILING for each in workers)
    return "healthy" if is_whole and are_well and word == "up" else "degraded"
