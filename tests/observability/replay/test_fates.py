"""What becomes of a request on one side."""

from typing import Any

from observability.replay.fates import ADDRESS, NO_SOCKETS, doubts, fate_of
from observability.replay.recorded import Recorded
from routing.explain import ADDRESS_REFUSED, Located, locate
from routing.knowledge import NOTHING
from tests.support.configuration import Document, route, small
from tests.support.replays import by, pair, recorded

DENIED = {"ip": {"deny": ["203.0.113.7"]}}


def of(*routes: dict[str, Any]) -> Document:
    return {**small(), "routes": list(routes)}


def located(document: Document, given: Recorded) -> tuple[Located, Any]:
    found = pair(document, document)
    where = locate(found.before.snapshot, given.request)
    assert isinstance(where, Located)
    return where, found


def fate(document: Document, given: Recorded) -> Any:
    where, found = located(document, given)
    return fate_of(given, where, found.before, found, NOTHING)


def test_what_a_service_gets() -> None:
    """Without the target."""
    found = fate(of(route(rewrite={"prefix": "/new"})), recorded(query="a=1"))
    assert (found.service, found.sent, found.refusal) == ("orders", "GET /new/7?a=1", None)


def test_who_calls_does_not_matter_to_whom_is_refused_before() -> None:
    """By the address, or because the route takes no sockets."""
    hidden = (("cookie", "…"),)
    closed = {"auth": {"level": "user"}}
    assert fate(of(route(**closed)), recorded(headers=hidden)).unknown
    found = fate(of(route(**closed, **DENIED)), recorded(headers=hidden))
    assert (found.refusal, found.unknown) == (ADDRESS_REFUSED, "")
    socket = recorded(headers=(*hidden, ("sec-websocket-version", "13")))
    assert fate(of(route(**closed)), socket).refusal == NO_SOCKETS


def test_an_address_that_is_not_known() -> None:
    """It may be any."""
    assert fate(of(route(**DENIED)), recorded(client="")).unknown == ADDRESS


def test_refusals_say_what_is_lacking() -> None:
    """As the answer's details do."""
    found = fate(of(route(auth={"level": "user", "scopes": ["read"]})), recorded(**by()))
    assert (found.refusal.code, found.because) == ("FORBIDDEN", "missing_scopes read")


def test_endpoints_of_the_gateway_itself() -> None:
    """They take what no route may."""
    assert fate(small(), recorded("/nobody")).refusal.code == "NOT_FOUND"


def test_doubts() -> None:
    """Routes that come before the one that was found, by what is masked; not those that come after."""
    first = {**route("first"), "match": {"path": "/orders/7", "headers": {"x-token": "a"}}}
    last = {**route("last"), "match": {"path": "/", "headers": {"x-token": "a"}}, "priority": -1}
    given = recorded(headers=(("x-token", "…"),))
    where, found = located(of(route(), first, last), given)
    assert [name for name, _ in doubts(given, where, found.before)] == ["first"]
    where, found = located(of(route(), first, last), recorded())
    assert not list(doubts(recorded(), where, found.before))
