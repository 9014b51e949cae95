"""Where an admitted request ends."""

from typing import Any

import pytest

from tests.support.configuration import Document, route, service, small
from tests.support.replays import by, judged, recorded

SERVICES = [service(), service("users", 8002), service("third", 8003)]


def of(**ways: Any) -> Document:
    """One route, that leads there."""
    lead = {key: value for key, value in route().items() if key != "service"}
    return {**small(), "services": SERVICES, "routes": [{**lead, **ways}]}


def split(*shares: tuple[str, int], **more: Any) -> Document:
    return of(backends=[{"service": name, "weight": weight} for name, weight in shares], **more)


def to(name: str, **more: Any) -> Document:
    return of(service=name, **more)


HALVES = (("orders", 1), ("users", 1))


@pytest.mark.parametrize(
    ("before", "after", "kind", "because"),
    [
        (to("orders"), to("users"), "elsewhere", "to users instead of orders"),
        (to("orders"), to("orders", timeout="1s"), "same", ""),
        (
            to("orders"),
            to("orders", rewrite={"strip_prefix": True}),
            "elsewhere",
            "as another request: GET /7 instead of GET /orders/7",
        ),
        (to("orders"), of(respond={"status": 410}), "elsewhere", "to the route's own answer (410)"),
        (of(respond={"body": "a"}), of(respond={"body": "b"}), "elsewhere", "another answer: 200"),
        (of(redirect={"path": "/a"}), of(redirect={"path": "/b"}), "elsewhere", "another answer"),
        (to("orders"), split(*HALVES), "unknown", "left to chance"),
        (to("orders"), split(("users", 1), ("third", 1)), "elsewhere", "to users or third instead of orders"),
        (split(*HALVES), split(("orders", 9), ("users", 1)), "unknown", "left to chance"),
        (split(*HALVES), split(*HALVES, timeout="1s"), "same", ""),
        (split(*HALVES), to("users"), "elsewhere", "to users instead of orders"),
        (split(*HALVES), to("orders"), "same", ""),
    ],
)
def test_ends(before: Document, after: Document, kind: str, because: str) -> None:
    """The one that was seen, and the one that it would get."""
    found = judged(before, after, recorded())
    assert (found.kind, because in found.words) == (kind, True), found


def test_who_stays_with_a_service_by_consumer() -> None:
    """It can be worked out."""
    after = split(*HALVES, sticky="consumer")
    names = {
        judged(to("third"), after, recorded(service="third", **by(name))).after.service for name in "abcdefgh"
    }
    assert names == {"orders", "users"}


def test_who_stays_by_a_cookie() -> None:
    """It was not kept."""
    after = split(*HALVES, sticky={"cookie": "variant"})
    found = judged(to("third"), after, recorded(service="third", headers=(("cookie", "…"),)))
    assert (found.kind, "its cookie" in found.because) == ("unknown", True)
    assert judged(to("third"), after, recorded(service="third")).after.service == "orders or users"


def test_a_target_that_is_gone() -> None:
    """A request that it had goes to another one."""
    moved = {**to("orders"), "services": [service(port=9), *SERVICES[1:]]}
    found = judged(to("orders"), moved, recorded(target="http://127.0.0.1:8001"))
    assert found.because == "to another target of orders: http://127.0.0.1:8001 is none any more"
    assert judged(to("orders"), moved, recorded()).kind == "same"


def test_a_service_that_is_seen_by_nobody() -> None:
    """Of an older revision nothing is known of its choice."""
    request = recorded(revision=1, route="other", service="third")
    assert judged(split(*HALVES), to("users"), request).kind == "unknown"
    assert judged(split(*HALVES), to("third"), request).kind == "elsewhere"
