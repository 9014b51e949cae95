"""The message hub of one worker, put together."""

from gateway_project.messagehub import MessageHub
from gateway_project.server.ports import keep_port


async def test_without_a_hub_there_is_nothing() -> None:
    hub = MessageHub(None, worker="w", has_database=True)
    await hub.start()
    assert (hub.bus, hub.check, hub.outbox) == (None, None, None)
    await hub.stop()


async def test_with_one_that_is_away_the_gateway_starts() -> None:
    """And says so; a node without a database has no outbox."""
    hub = MessageHub(f"http://127.0.0.1:{keep_port()}/", worker="w", has_database=False)
    await hub.start()
    assert hub.bus is not None
    assert hub.outbox is None
    assert hub.check is not None
    assert (await hub.check()).why
    await hub.stop()
