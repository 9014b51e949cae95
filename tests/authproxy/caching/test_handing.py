"""A stored answer that goes out straight is the one that the usual way gives."""

from tests.support.gateway import Answer
from tests.support.origin import Origin, cached, fresh, kind

ITS_OWN = ("x-request-id", "traceparent", "date")
EXTRAS = (
    ("X-Made", "yes"),
    ("Keep-Alive", "timeout=5"),
    ("X-Frame-Options", "DENY"),
    ("Cache-Status", "Far; hit"),
)


def said(answer: Answer) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers if name.lower() not in ITS_OWN)


async def test_both_ways_say_the_same() -> None:
    """Whoever says how old an answer may be is answered the usual way."""
    origin = Origin(fresh(b"hello", *EXTRAS))
    async with cached(origin) as (_plane, client):
        await client.get("/x")
        straight = [await client.get("/x") for _ in range(2)]
        usual = await client.get("/x", "Cache-Control: max-age=9999")

    assert [kind(each) for each in (*straight, usual)] == ["HIT"] * 3
    assert [said(each) for each in straight] == [said(usual)] * 2
    assert {each.body for each in (*straight, usual)} == {b"hello"}
    assert len({each.header("x-request-id") for each in (*straight, usual)}) == 3


async def test_a_route_that_changes_fields_still_does() -> None:
    origin = Origin(fresh(b"hello"))
    changes = {"response_headers": {"set": {"X-Route": "mine"}, "remove": ["x-cache"]}}
    async with cached(origin, **changes) as (_plane, client):
        answers = [await client.get("/x") for _ in range(2)]

    assert [(each.header("x-route"), each.header("x-cache")) for each in answers] == [("mine", None)] * 2
