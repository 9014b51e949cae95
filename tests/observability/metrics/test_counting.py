"""Finished requests, counted."""

import pytest

from authproxy.exchange import Exchange
from authproxy.rejections import Code, Rejection
from observability.metrics import catalogue as names
from observability.metrics.counting import Counting, Timings
from observability.metrics.samples import PLACES, Samples, unpacked
from observability.metrics.series import place_of
from resilience.outcomes import Outcome
from tests.support.records import batch, ended


def counted(*exchanges: Exchange, into: Counting | None = None) -> Samples:
    counting = into or Counting()
    counting.take(batch(*exchanges))
    found = Samples()
    counting.samples(found)
    return found


def test_requests_by_route_service_method_and_status() -> None:
    one = ended("orders", service="shop", sent=10)
    found = counted(one, one, ended("orders", service="shop", status=404), ended())

    assert found.values[names.REQUESTS] == {
        'method="GET",route="orders",service="shop",status="200"': 2,
        'method="GET",route="orders",service="shop",status="404"': 1,
        'method="GET",route="",service="",status="200"': 1,
    }
    assert found.get(names.SENT, "orders", "shop") == 20


def test_durations_of_requests_and_of_services() -> None:
    """Of 10 ms, of which the service took 4."""
    found = counted(ended("orders", service="shop", forwarded=100.001, answered=100.005))
    whole, upstream = found.get(names.DURATION, "orders", "shop"), found.get(names.UPSTREAM, "shop")

    assert isinstance(whole, bytes)
    assert isinstance(upstream, bytes)
    whole, upstream = unpacked(whole), unpacked(upstream)
    assert (whole.index(1), whole[PLACES]) == (place_of(0.016), pytest.approx(0.01))
    assert upstream.index(1) in (place_of(0.004), place_of(0.008))
    assert upstream[PLACES] == pytest.approx(0.004)


def test_what_opening_connections_took() -> None:
    """Of the requests for which some were opened, by service."""
    found = counted(
        ended("a", service="s", connecting_s=0.003),
        ended("b", service="s", connecting_s=0.5),
        ended("a", service="s"),
    )
    connects = found.get(names.CONNECT, "s")

    assert isinstance(connects, bytes)
    connects = unpacked(connects)
    assert (sum(connects[:PLACES]), connects[PLACES]) == (2, pytest.approx(0.503))
    assert connects[place_of(0.004)] == connects[place_of(0.512)] == 1


def test_attempts_and_retries() -> None:
    found = counted(
        ended("a", service="s", target="t2", attempts=2, failures=[("t1", Outcome.RESET)]),
    )

    assert found.values[names.ATTEMPTS] == {
        'outcome="reset",service="s",target="t1"': 1,
        'outcome="ok",service="s",target="t2"': 1,
    }
    assert found.get(names.RETRIES, "s") == 1


def test_refusals_would_be_refusals_and_the_cache() -> None:
    limited = Rejection(Code.RATE_LIMIT, "Too many.")
    found = counted(
        ended("a", status=429, refusal=limited), ended("a", cache="HIT", would=(("quota", limited),))
    )

    assert found.values[names.REFUSALS] == {'code="RATE_LIMIT",route="a"': 1}
    assert found.values[names.CACHE] == {'result="HIT",route="a"': 1}
    assert found.values[names.WOULD] == {'code="RATE_LIMIT",policy="quota",route="a"': 1}


def test_counts_go_on_from_batch_to_batch() -> None:
    counting = Counting()
    counted(ended("a"), into=counting)

    assert counted(ended("a"), into=counting).get(names.REQUESTS, "a", "", "GET", "200") == 2


def test_there_is_a_limit_and_what_is_beyond_it_is_counted() -> None:
    """Services may answer any status."""
    counting = Counting(most=10)
    found = counted(*(ended("a", status=status) for status in range(200, 300)), into=counting)

    assert len(found.values[names.REQUESTS]) == 10
    assert counting.dropped == 90


def test_single_durations() -> None:
    timings = Timings()
    timings.note(0.001)
    timings.note(99)

    assert [unpacked(timings.value)[place] for place in (1, 17, PLACES)] == [1, 1, 99.001]
