"""P: The end of a subscription, as a hub sees it."""

from typing import Protocol

from realtime.events import Event


class Sink(Protocol):
    """One subscriber, of any number of topics: never waits, bounded by itself. Hashable by identity."""

    def deliver(self, event: Event) -> None:
        """Takes the event, or notes that its client is too slow."""

    def gap(self, topic: str) -> None:
        """Something of the topic was lost: said once, before the events that follow."""

    async def room(self) -> None:
        """Waits until more fits in; asked between the pieces of a long replay only. Returns at once if it has ended."""
