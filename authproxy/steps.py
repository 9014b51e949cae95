"""I: What a route's plan is made of."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from authproxy.exchange import Exchange
from authproxy.lasting import Lasting
from authproxy.rejections import Rejection
from authproxy.relaying import Shaper

Step = Callable[[Exchange], Rejection | Awaitable[Rejection | None] | None]
"""Ends the request unless it comes to None. One that has nothing to wait for answers at once."""
Destination = Callable[[Exchange], Awaitable[Rejection | None]]
"""Gives the answer, or a refusal."""


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """What the pipeline does for one route."""

    admission: tuple[Step, ...]
    callers_admission: tuple[Step, ...]
    """The same for requests that present credentials."""
    destination: Destination
    shapers: tuple[Shaper, ...] = ()
    """What is made of an answer before it goes to the client."""
    tunnel: Destination | None = None
    """Where a WebSocket handshake goes; None: the route takes none."""
    lasting: Lasting | None = None
    """What ends answers that go on and on; None: nothing does."""
