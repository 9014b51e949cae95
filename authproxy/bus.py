"""P: What publishing asks of a message bus. `realtime.bus` has the adapters, bound when the gateway is put together."""

from typing import Final, Literal, NamedTuple, Protocol

LARGEST_BODY: Final = 1_000_000
"""Bytes of an event: NATS takes 1 MiB with all header fields unless it is told otherwise."""


class Published(NamedTuple):
    """The bus confirmed the event, or the outbox took it in."""

    id: str
    """Of the event: unique, and the same if it is delivered more than once."""
    kept_by: Literal["hub", "outbox"] = "hub"
    """The outbox hands it to the hub when that is back; it survives the end of this process."""


class Unpublished(NamedTuple):
    """Nobody has confirmed the event: whoever sent it is to send it again."""

    why: str
    """For the answer: what is away, without any address or secret."""
    retry_after_s: float = 1.0
    is_too_large: bool = False
    """The hub never takes it."""


class Bus(Protocol):
    """One worker's way to the message hub. Bounded in time, and never raises for what the hub does."""

    async def publish(
        self, topic: str, data: bytes, *, content_type: bytes, headers: dict[str, str]
    ) -> Published | Unpublished:
        """At least once: answers when the hub has confirmed, or refuses. `headers` tell who sent it, and its trace."""
