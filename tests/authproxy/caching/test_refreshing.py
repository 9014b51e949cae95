"""Stale answers are served while new ones are fetched beside."""

import asyncio
from collections.abc import Callable

from tests.support.fetching import until
from tests.support.gateway import Answer, RawClient
from tests.support.origin import Origin, cached, fresh, kind
from tests.support.upstreams import ReceivedRequest, response

STALE = ("Cache-Control", "max-age=0, stale-while-revalidate=60")


async def asked_until(client: RawClient, is_there: Callable[[Answer], bool]) -> Answer:
    """What is fetched beside comes soon."""
    for _ in range(500):
        if is_there(answer := await client.get("/x")):
            return answer
        await asyncio.sleep(0.01)
    raise AssertionError(f"not yet: {answer}")


async def test_a_stale_answer_is_served_and_a_new_one_is_fetched() -> None:
    """Once, however many ask meanwhile; with the client's fields, and without its conditions."""
    origin = Origin(fresh(b"old", STALE, ("ETag", '"1"')))
    async with cached(origin) as (_plane, client):
        await client.get("/x", "X-Mine: 1")
        origin.reply, origin.held = fresh(b"new"), asyncio.Event()
        stale = [await client.get("/x", "X-Mine: 1", 'If-None-Match: "2"') for _ in range(3)]
        origin.held.set()
        await until(lambda: origin.count == 2)
        last = await asked_until(client, lambda answer: answer.body == b"new")

    assert [(kind(each), each.body) for each in stale] == [("STALE", b"old")] * 3
    assert kind(last) == "HIT"
    assert origin.last.values("if-none-match") == [b'"1"']
    assert (origin.last.values("x-mine"), origin.count) == ([b"1"], 2)


async def test_a_refresh_may_find_that_nothing_has_changed() -> None:
    """304: the stored answer is fresh again."""

    def reply(request: ReceivedRequest) -> bytes:
        if request.values("if-none-match"):
            return response(status="304 Not Modified", headers=[("Cache-Control", "max-age=60")])
        return fresh(b"same", STALE, ("ETag", '"1"'))

    origin = Origin(reply)
    async with cached(origin) as (_plane, client):
        await client.get("/x")
        stale = await client.get("/x", method="HEAD")
        last = await asked_until(client, lambda answer: kind(answer) == "HIT")

    assert (kind(stale), last.body, origin.count) == ("STALE", b"same", 2)


async def test_a_refresh_that_fails_leaves_what_there_is() -> None:
    """It is tried again by the next request."""
    origin = Origin(fresh(b"old", ("Cache-Control", "max-age=0")))
    async with cached(origin, {"stale_while_revalidate": "1m"}) as (_plane, client):
        await client.get("/x")
        origin.reply = response(status="500 Oops")
        for number in (2, 3):
            answer = await client.get("/x")
            await until(lambda number=number: origin.count == number)

    assert (kind(answer), answer.body) == ("STALE", b"old")
