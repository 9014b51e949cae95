"""D: Detailed health, put together for one worker.

database ──▶ DatabaseCheck ─┐
RedisLink, message hub ─────┼──▶ Detailed ──▶ /health/detailed
snapshot, drain ────────────┘
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gateway_project.config import GatewayConfig
from observability.components import Check, Seen
from observability.databasecheck import DatabaseCheck
from observability.detailed import Detailed, Facts
from resilience.stores.connection import Away, RedisLink
from routing.node import node_name
from routing.snapshot import CompiledService


class Detailing:
    """One worker's. It starts by itself when somebody asks."""

    def __init__(
        self,
        config: GatewayConfig,
        *,
        version: str,
        role: str,
        has_database: bool,
        redis: RedisLink | None,
        decided_alone: Callable[[], int],
        revision: Callable[[], int | None],
        unready: Callable[[], str | None],
        services: Callable[[], Mapping[str, CompiledService]],
        bus: Check | None = None,
        realtime: Callable[[], Mapping[str, int]] = dict,
        recent: Callable[[], Mapping[str, Any]] = dict,
        dropped: Callable[[], Mapping[str, int]] = dict,
        traces: Callable[[], Mapping[str, int]] | None = None,
    ) -> None:
        self._database = DatabaseCheck() if has_database else None
        checks: dict[str, Check | None] = {
            "database": self._database,
            "redis": None if redis is None else partial(redis_check, redis, decided_alone),
        }
        if bus is not None:
            checks["bus"] = bus
        checks["realtime"] = partial(numbers_check, realtime)
        if traces is not None:
            checks["traces"] = partial(numbers_check, traces)
        facts = Facts(
            version=version,
            worker=node_name(),
            role=role,
            revision=revision,
            unready=unready,
            services=services,
            checks=checks,
            workers=lambda: None if self._database is None else self._database.workers,
            recent=recent,
            dropped=dropped,
        )
        self.application = Detailed(
            facts, api_prefix=config.api_prefix, access=config.ops_access, realm=config.service_name
        )

    async def stop(self) -> None:
        """Ends what is under way."""
        await self.application.stop()
        if self._database is not None:
            await self._database.stop()


async def numbers_check(numbers: Callable[[], Mapping[str, int]]) -> Seen:
    """Of a part of this worker, which is well as long as the worker answers."""
    return Seen(counts=numbers())


async def redis_check(link: RedisLink, decided_alone: Callable[[], int]) -> Seen:
    """By the connection that requests use, within its time limit.

    `decided_alone`: requests whose quotas this worker decided without it, because it was away or late.
    """
    why = "does not answer" if isinstance(await link.call("PING"), Away) else ""
    return Seen(why, counts={"decided_alone": decided_alone()})
