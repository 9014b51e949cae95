"""I: What the gateway leans on (database, Redis, a bus), asked all at once and in bounded time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from resilience.clock import monotonic

TIMEOUT_S: Final = 1.0
HEALTHY: Final = "healthy"
UNHEALTHY: Final = "unhealthy"
DISABLED: Final = "disabled"
_FAILED: Final = "could not be asked"


class Seen(NamedTuple):
    """What a check found; an empty `why` is well. `latency_s` is given where the check knows better than who waits."""

    why: str = ""
    latency_s: float | None = None
    counts: Mapping[str, int] = MappingProxyType({})
    """What else is worth knowing of it, since this worker's start."""


Check = Callable[[], Awaitable[Seen]]
"""It may hang, and it may fail; it tells no address and no secret."""


async def look(checks: Mapping[str, Check | None], *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """By name: status, latency_ms, and why it is not well. None: there is no such thing here."""
    found = await asyncio.gather(*(_one(check, timeout_s) for check in checks.values()))
    return dict(zip(checks, found, strict=True))


async def _one(check: Check | None, timeout_s: float) -> dict[str, Any]:
    if check is None:
        return {"status": DISABLED}
    began = monotonic()
    try:
        async with asyncio.timeout(timeout_s):
            why, latency_s, counts = await check()
    except TimeoutError:
        return _unwell(f"no answer within {timeout_s:g} s")
    except Exception:
        return _unwell(_FAILED)
    if why:
        return {**_unwell(why), **counts}
    taken_s = monotonic() - began if latency_s is None else latency_s
    return {"status": HEALTHY, "latency_ms": round(taken_s * 1000, 3), **counts}


def _unwell(why: str) -> dict[str, Any]:
    return {"status": UNHEALTHY, "latency_ms": None, "reason": why}
