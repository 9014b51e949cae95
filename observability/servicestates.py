"""I: Each service as this worker sees it: its word, its breaker, and every target."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from authproxy.services import ServiceRuntime
from observability.status import Word, word_for
from observability.traffic.recent import NOTHING
from resilience.clock import monotonic
from routing.knowledge import Standing, standing_of
from routing.snapshot import CompiledService

AT_ONCE: Final = 100
"""Requests are served between so many services and the next."""


async def look(
    services: Mapping[str, CompiledService], recent: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """By name. `recent` is how they did in the last minute, see `observability.traffic.recent`."""
    found: dict[str, Any] = {}
    for number, (name, service) in enumerate(sorted(services.items()), start=1):
        found[name] = shown(service.runtime, monotonic()) | {"last_minute": recent.get(name, NOTHING)}
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


def shown(runtime: ServiceRuntime, now: float) -> dict[str, Any]:
    """`status` is up, degraded or down; `breaker` is None where the service has none."""
    word: Word = word_for(runtime, now)
    leased = {target.url for target in runtime.leased or ()}
    targets = [
        {
            "url": member.name,
            "state": _standing(state.ejected_until > now, state.healthy, drain=member.drain),
            "origin": "lease" if member.name in leased else "configuration",
            "in_flight": state.in_flight,
        }
        for member, state in zip(runtime.pool.members, runtime.pool.states, strict=True)
    ]
    breaker = None if runtime.breaker is None else runtime.breaker.state.value
    return {"status": word, "breaker": breaker, "targets": targets}


def _standing(is_ejected: bool, healthy: bool | None, *, drain: bool) -> Standing:
    return standing_of(drain=drain, is_ejected=is_ejected, healthy=healthy)
