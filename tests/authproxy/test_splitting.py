"""The destination of a route that shares its requests among services."""

from collections import Counter
from random import Random
from typing import Any

from authproxy.exchange import Exchange
from authproxy.headers import Pairs
from authproxy.identity import Identity
from authproxy.splitting import CanarySplitting, Splitting
from resilience.canaries import Live
from resilience.canary import CanaryPolicy, Standing
from routing.splitting import Share, Split, share_of
from tests.support.exchanges import exchange

A, B, C = share_of("a", 9), share_of("b", 1), share_of("c", 0)


def splitting(seed: int = 1, shares: tuple[Share, ...] = (A, B, C), **keys: Any) -> Splitting:
    def tell(_exchange: Exchange, service: str) -> Pairs:
        return ((b"x-for", service.encode()),)

    return Splitting(Split(shares, **keys), tell, roll=Random(seed).random)


def cookies(asked: Exchange) -> list[bytes]:
    return [value for name, value in asked.answer_fields if name == b"set-cookie"]


def test_shares_are_counted_out() -> None:
    """By weight; who has none gets nothing by itself."""
    split = splitting()
    found = Counter(split.choose(exchange()).service for _ in range(2000))

    assert 0.88 < found["a"] / 2000 < 0.92
    assert found["c"] == 0


def test_a_client_is_remembered_by_its_cookie() -> None:
    """It is set once, and comes anew when the service lost its share."""
    split = splitting(sticky="cookie", cookie=b"v", cookie_path=b"/shop")
    first = exchange()
    chosen = split.choose(first)
    again = exchange(headers=[(b"cookie", b"v=" + chosen.variant)])
    other = exchange(headers=[(b"cookie", b"v=" + C.variant)])

    assert cookies(first) == [b"v=" + chosen.variant + b"; Path=/shop; HttpOnly; SameSite=Lax"]
    assert split.choose(again) == chosen
    assert cookies(again) == []
    assert split.choose(other) in (A, B)
    assert len(cookies(other)) == 1


def test_a_callers_service_is_its_own() -> None:
    """Wherever it comes from; one who is not known is known by the address."""
    split = splitting(sticky="consumer")
    ada = Identity(method="jwt", consumer="ada")

    def chosen(address: str, caller: Identity | None) -> str:
        asked = exchange(client=address)
        asked.identity = caller
        return split.choose(asked).service

    assert {chosen(f"192.0.2.{number}", ada) for number in range(50)} == {chosen("192.0.2.1", ada)}
    assert {chosen(f"192.0.2.{number}", None) for number in range(50)} == {"a", "b"}


def test_a_forced_choice_leaves_the_cookie_alone() -> None:
    """It is a test, not a move; what names nobody is not heard."""
    split = splitting(sticky="cookie", cookie=b"v", forced_by="header", forced_name=b"x-v")
    asked = exchange(headers=[(b"x-v", b"c")])

    assert split.choose(asked) == C
    assert cookies(asked) == []
    assert split.choose(exchange(headers=[(b"x-v", b"z")])) in (A, B)
    by_cookie = splitting(forced_by="cookie", forced_name=b"w")
    assert by_cookie.choose(exchange(headers=[(b"cookie", b"w=c")])) == C


def test_a_canary_has_the_share_of_now() -> None:
    """A client that stayed with it goes back with it."""
    live = Live(CanaryPolicy(steps=(50.0,)))
    split = Split((A, B), sticky="cookie", cookie=b"v")
    one = CanarySplitting(split, lambda _exchange, _service: (), live=live, roll=Random(1).random)

    def chosen() -> set[str]:
        return {one.choose(exchange()).service for _ in range(50)}

    stays = [(b"cookie", b"v=" + B.variant)]
    assert chosen() == {"a"}
    live.stand(Standing(1.0), 1)
    assert chosen() == {"a", "b"}
    assert one.choose(exchange(headers=stays)).service == "b"
    live.stand(Standing(2.0, 0, "rolled_back"), 2)
    assert one.choose(exchange(headers=stays)).service == "a"
    live.stand(Standing(3.0, 0, "promoted"), 3)
    assert chosen() == {"b"}
