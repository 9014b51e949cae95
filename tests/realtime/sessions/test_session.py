"""One client's replays: one at a time of each topic, and none is left behind."""

import asyncio

from tests.support.clientsockets import endpoint, heard, say, subscribed
from tests.support.hubs import TOPIC, publish, until


async def test_leaving_a_topic_ends_its_replay() -> None:
    """A replay that waits for room stops; nothing of the topic comes any more."""
    async with endpoint() as place:
        first = await publish(place.hub, 0)
        for _ in range(400):
            await publish(place.hub, "x" * 2000)
        async with place.client() as ada:
            await heard(ada, "connected")
            await subscribed(ada, TOPIC, last_event_id=first.id)
            await say(ada, "unsubscribe", topic=TOPIC)
            async with asyncio.timeout(10):
                while (await heard(ada))["type"] != "unsubscribed":
                    pass
            await publish(place.hub, "late")
            await say(ada, "ping")
            await heard(ada, "pong")
            (session,) = place.sessions._all
            await until(lambda: session._replays is None)
            assert not session.topics


async def test_asking_again_is_no_second_subscription() -> None:
    async with endpoint() as place, place.client() as ada:
        await heard(ada, "connected")
        first = await publish(place.hub, 0)
        for _ in range(3):
            await subscribed(ada, TOPIC)
        await publish(place.hub, 1)
        assert (await heard(ada, "event"))["data"] == 1
        await subscribed(ada, TOPIC, last_event_id=first.id)
        assert (await heard(ada, "event"))["data"] == 1
        await publish(place.hub, 2)
        assert (await heard(ada, "event"))["data"] == 2
