"""One worker's hub, without a stream and with one that the test feeds."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.bus import Unpublished
from realtime.events import Event
from realtime.hub.hub import SLICE, Hub
from realtime.hub.ids import EventId
from realtime.hub.window import Window
from tests.support.hubs import TOPIC, Listener, publish


async def test_subscribers_get_what_is_published() -> None:
    hub, ada, bob = Hub(node="a"), Listener(), Listener()
    await hub.subscribe(TOPIC, ada)
    await hub.subscribe("other", bob)
    first, second = await publish(hub, 1), await publish(hub, 2)
    hub.unsubscribe(TOPIC, ada)
    await publish(hub, 3)

    assert (ada.got, bob.got) == ([1, 2], [])
    assert ada.heard == [first.id, second.id]
    assert EventId(0, 0) < hub.window.last
    assert hub.subscriptions == 1


async def test_replays_behind_the_last_id() -> None:
    hub, late = Hub(node="a"), Listener()
    events = [await publish(hub, n) for n in range(5)]
    await publish(hub, "x", topic="other")
    await hub.subscribe(TOPIC, late, after=events[1].id)
    await publish(hub, 5)

    assert late.got == [2, 3, 4, 5]


async def test_says_that_something_is_gone() -> None:
    """Trimmed: the gap comes first, then what is left. A topic of which nothing was trimmed has none."""
    hub = Hub(node="a", window=Window(floor=EventId(1, 0), most_events=3))
    quiet = await publish(hub, "q", topic="quiet")
    events = [await publish(hub, n) for n in range(5)]
    late, calm = Listener(), Listener()
    await hub.subscribe(TOPIC, late, after=events[0].id)
    await hub.subscribe("quiet", calm, after=quiet.id)

    assert late.got == ["gap", 2, 3, 4]
    assert calm.got == []


@pytest.mark.parametrize("after", ["nonsense", "99999999999999-0", "1-0"])
async def test_unknown_ids_are_a_gap(after: str) -> None:
    hub, late = Hub(node="a"), Listener()
    await publish(hub, 1)
    await hub.subscribe(TOPIC, late, after=after)

    assert late.got == ["gap", 1]


async def test_one_name_is_one_event() -> None:
    hub, ada = Hub(node="a"), Listener()
    await hub.subscribe(TOPIC, ada)
    first = await publish(hub, 1, id="order-1")
    again = await publish(hub, 1, id="order-1")

    assert ada.got == [1]
    assert (again.id, again.timestamp) == (first.id, first.timestamp)


@pytest.mark.parametrize("data", ["x" * 70_000, 2**70, {1, 2}, "\ud800"])
async def test_what_is_too_much_or_no_json_is_refused(data: object) -> None:
    answer = await Hub(node="a").publish(TOPIC, "t", data)

    assert isinstance(answer, Unpublished)


async def test_joining_and_leaving_amid_a_delivery() -> None:
    """Many subscribers are served in turns of the loop: who joins meanwhile gets each event once, who left none."""
    hub = Hub(node="a")
    many = [Listener() for _ in range(3 * SLICE)]
    for each in many:
        await hub.subscribe(TOPIC, each)
    publishing = [asyncio.create_task(publish(hub, n)) for n in (1, 2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    last, again, late = many[-1], many[-2], Listener()
    hub.unsubscribe(TOPIC, last)
    hub.unsubscribe(TOPIC, again)
    await hub.subscribe(TOPIC, again, after="0-0")
    await hub.subscribe(TOPIC, late, after="0-0")
    await asyncio.gather(*publishing)

    assert last.got == []
    assert late.got == again.got == ["gap", 1, 2]
    assert all(each.got == [1, 2] for each in many[:-2])


async def test_a_sink_that_fails_is_its_own_trouble() -> None:
    hub, bad, good = Hub(node="a"), Listener(), Listener()
    bad.deliver = None  # type: ignore[assignment, method-assign]
    await hub.subscribe(TOPIC, bad)
    await hub.subscribe(TOPIC, good)
    await publish(hub, 1)

    assert good.got == [1]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.sampled_from((TOPIC, "other"))),
        st.tuples(st.just("come"), st.integers(0, 30)),
        st.tuples(st.just("leave"), st.integers(0, 30)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_whoever_comes_back_has_each_event_once(steps: list[tuple[str, object]]) -> None:
    """Clients that come and go behind the last event that they have, while others publish: no hole, no duplicate."""
    for got, wanted in asyncio.run(_story(steps)):
        assert got == wanted


async def _story(steps: list[tuple[str, object]]) -> list[tuple[list[object], list[object]]]:
    """Of each client what it got, and what it should have got."""
    hub = Hub(node="a", window=Window(floor=EventId(0, 0)))
    clients = [Listener() for _ in range(3)]
    coming: dict[int, asyncio.Task[None]] = {}
    work: list[asyncio.Task[Event]] = []
    published = 0
    for step, value in steps:
        if step == "publish":
            published += value == TOPIC
            work.append(asyncio.create_task(publish(hub, published, topic=str(value))))
        elif step == "turn":
            for _ in range(int(str(value))):
                await asyncio.sleep(0)
        else:
            index = int(str(value)) % len(clients)
            if index in coming:
                coming.pop(index).cancel()
            hub.unsubscribe(TOPIC, clients[index])
            if step == "come":
                after = clients[index].heard[-1] if clients[index].heard else "0-0"
                coming[index] = asyncio.create_task(hub.subscribe(TOPIC, clients[index], after=after))
    await asyncio.gather(*work, *coming.values())
    return [
        (client.got, list(range(1, (published if index in coming else len(client.got)) + 1)))
        for index, client in enumerate(clients)
    ]
