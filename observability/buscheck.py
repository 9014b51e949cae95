"""I: Whether the message hub answers, asked over the connection that events use."""

from observability.components import Check, Seen
from realtime.bus.adapter import HubAway
from realtime.bus.link import BusLink

_COUNTED = ("published", "kept", "refused", "dropped", "rejected", "outages")


def bus_check(link: BusLink) -> Check:
    """Why it does not, if so; and what became of events since this worker's start."""

    async def check() -> Seen:
        counts = {name: getattr(link.counts, name) for name in _COUNTED}
        if link.adapter is None:
            return Seen(link.why_away, counts=counts)
        try:
            await link.adapter.ping()
        except HubAway as away:
            return Seen(str(away), counts=counts)
        return Seen(counts=counts)

    return check
