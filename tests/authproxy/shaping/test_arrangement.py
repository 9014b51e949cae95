"""What a route does not use costs it nothing."""

from typing import Any

from authproxy.shaping import arrangement
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of


async def test_a_plain_route_has_no_steps_of_its_own() -> None:
    """Nor shapers; its destination is what it was."""
    raw = document(route(service="s"), services={"s": "http://127.0.0.1:1"})
    plain = snapshot_of(raw).routes["r"]

    async def destination(exchange: object) -> None: ...

    assert arrangement.entry_steps(plain) == ()
    assert arrangement.check_steps(plain) == ()
    assert arrangement.shapers(plain) == ()
    cache: Any = None  # which nobody asks
    assert arrangement.around(plain, destination, cache) is destination
