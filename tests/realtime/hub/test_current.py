"""The hub of this process."""

import pytest

from realtime.hub import current
from realtime.hub.hub import Hub


async def test_bound_while_it_lasts() -> None:
    hub, other = Hub(node="a"), Hub(node="b")
    current.bind(hub)
    assert current.current() is hub
    current.bind(other)
    current.unbind(hub)
    assert current.current() is other
    current.unbind(other)
    with pytest.raises(LookupError):
        current.current()
