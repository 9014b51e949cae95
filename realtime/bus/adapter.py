"""P: The small protocol behind which every kind of message hub is: open, send until it is confirmed, listen, close."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol

ID: Final = "x-event-id"
TIME: Final = "x-event-time"
TOPIC: Final = "x-event-topic"


class Message(NamedTuple):
    """One event on the bus: the body as it came, and beside it what is known of it."""

    id: str
    """The same if it is delivered more than once."""
    topic: str
    """The subject: routing key (AMQP), subject (NATS), key of the stream (Redis)."""
    time: str
    """RFC 3339, in UTC."""
    body: bytes
    content_type: str = ""
    headers: dict[str, str] = {}
    """Who sent it (`x-user-id` and the others), `x-request-id`, `traceparent`."""


class HubAway(Exception):  # noqa: N818 - becomes a value in the link
    """The hub has not confirmed: it cannot be reached, or it does not answer. `str()` has no address and no secret."""


class HubRefused(Exception):  # noqa: N818 - becomes a value in the link
    """The hub answers, and does not take this message, now or later. `too_large`: for its size."""

    def __init__(self, why: str, *, too_large: bool = False) -> None:
        super().__init__(why)
        self.too_large = too_large


Handle = Callable[[Message], Awaitable[bool]]
"""Takes what arrived. True: it is dealt with for good. False: it is to come again."""


class Adapter(Protocol):
    """One connection to one hub. Whoever calls sets the time limits, and closes it after any failure."""

    guarantee: str
    """What a confirmation of this hub means, in a sentence."""

    async def open(self) -> None:
        """Raises HubAway."""

    async def send(self, message: Message) -> None:
        """Returns when the hub has confirmed. Raises HubAway and HubRefused."""

    async def ping(self) -> None:
        """Returns when the hub has answered. Raises HubAway."""

    async def listen(self, subjects: Sequence[str], group: str, handle: Handle) -> None:
        """Hands on what arrives, until it is cancelled or the connection ends (HubAway).

        Of all that listen with the same `group` one gets each message. Raises HubRefused where the hub has no way to.
        """

    async def close(self) -> None:
        """Ends the connection; raises nothing."""
