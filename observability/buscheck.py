"""I: Whether the message hub answers, asked over the connection that events use, and what became of events."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from observability.components import Check, Seen
from realtime.bus.adapter import HubAway
from realtime.bus.link import BusLink

HELD_S: Final = 0.5
"""How long the database may take to say what it keeps; it is a component of its own."""
_COUNTED: Final = ("published", "kept", "refused", "dropped", "rejected", "outages")
Numbers = Callable[[], Mapping[str, int]]
Held = Callable[[], Awaitable[Mapping[str, int] | None]]


def bus_check(link: BusLink, numbers: Numbers = dict, held: Held | None = None) -> Check:
    """Why it does not, if so; what became of events since this worker's start, and what the installation keeps now.

    `numbers` are more of this worker's. `held` answers with the database's, or None; it may hang.
    """
    asking: asyncio.Future[Mapping[str, int] | None] | None = None

    async def kept() -> Mapping[str, int]:
        nonlocal asking
        if held is None:
            return {}
        if asking is None or asking.done():  # one question at a time, however long it takes
            asking = asyncio.ensure_future(held())
        await asyncio.wait((asking,), timeout=HELD_S)
        return (asking.result() or {}) if asking.done() and not asking.cancelled() else {}

    async def why_away() -> str:
        if link.adapter is None:
            return link.why_away
        try:
            await link.adapter.ping()
        except HubAway as away:
            return str(away)
        return ""

    async def check() -> Seen:
        why, rows = await asyncio.gather(why_away(), kept())
        own = {name: getattr(link.counts, name) for name in _COUNTED}
        return Seen(why, counts={**own, **numbers(), **rows})

    return check
