"""P: What publishing asks of a message bus. `realtime.bus` has the adapters, bound when the gateway is put together."""

from typing import NamedTuple, Protocol


class Published(NamedTuple):
    """The bus confirmed the event, or the outbox took it in."""

    id: str
    """Of the event: unique, and the same if it is delivered more than once."""


class Unpublished(NamedTuple):
    """The event is nowhere: whoever sent it is to send it again."""

    why: str
    """For the answer: what is away, without any address or secret."""
    retry_after_s: float = 1.0


class Bus(Protocol):
    """One worker's way to the message hub. Bounded in time, and never raises for what the hub does."""

    async def publish(
        self, topic: str, data: bytes, *, content_type: bytes, headers: dict[str, str]
    ) -> Published | Unpublished:
        """At least once: answers when the hub has confirmed, or refuses. `headers` tell who sent it, and its trace."""
