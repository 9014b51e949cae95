"""What a hub asks of a sink is what sinks have."""

from realtime.hub.sinks import Sink
from tests.support.hubs import Listener


def test_a_listener_is_one() -> None:
    sink: Sink = Listener()

    assert {name for name in vars(Sink) if not name.startswith("_")} <= set(dir(sink))
