"""Faults on purpose: some wait, some are refused, most go on."""

import asyncio
from random import Random
from typing import Any, cast

import pytest

from authproxy.exchange import CLIENT_CLOSED_REQUEST, Exchange
from authproxy.faulting import Faulting
from authproxy.rejections import Rejection
from authproxy.steps import RoutePlan
from resilience.outcomes import Outcome
from resilience.policies import FaultPolicy
from tests.support import gateway
from tests.support.virtualtime import clock, in_virtual_time

EXCHANGE = cast("Exchange", object())  # a fault has no look at the request


def faulting(*, wall_now: float = 0.0, **policy: Any) -> Faulting:
    return Faulting(FaultPolicy(**policy), rng=Random(1), clock=lambda: wall_now)


async def end(step: Faulting) -> Rejection | None:
    """How a request fares."""
    answer = step.step(EXCHANGE)
    return answer if isinstance(answer, Rejection) or answer is None else await answer


@pytest.mark.parametrize("policy", [{"abort": 503, "share": 0.0}, {"abort": 503, "until": 0.0}])
def test_most_go_on_at_once(policy: dict[str, Any]) -> None:
    """Nothing is awaited for those who are not hit, nor after the end."""
    step = faulting(**policy)

    assert step.step(EXCHANGE) is None
    assert (step.delayed, step.aborted) == (0, 0)


def test_abort_is_answered_at_once() -> None:
    """With the status that was asked for."""
    step = faulting(abort=503)
    refusal = step.step(EXCHANGE)

    assert isinstance(refusal, Rejection)
    assert refusal.status == 503
    assert (step.delayed, step.aborted) == (0, 1)


@in_virtual_time
async def test_delayed_request_goes_on_later() -> None:
    """As if nothing had been."""
    step, began = faulting(delay_s=1.5), clock()

    assert await end(step) is None
    assert clock() == began + 1.5
    assert (step.delayed, step.aborted) == (1, 0)


@in_virtual_time
async def test_delay_may_end_in_a_refusal() -> None:
    """Both at once is what a service looks like that times out."""
    step, began = faulting(delay_s=1.5, abort=504), clock()
    refusal = await end(step)

    assert refusal is not None
    assert refusal.status == 504
    assert clock() == began + 1.5
    assert (step.delayed, step.aborted) == (1, 1)


@in_virtual_time
async def test_client_that_leaves_ends_its_delay() -> None:
    """Its request is cancelled; nobody waits on, and nobody is refused."""
    step, began = faulting(delay_s=3600.0, abort=503), clock()
    task = asyncio.get_running_loop().create_task(end(step))
    await asyncio.sleep(1.0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert clock() == began + 1.0
    assert (step.delayed, step.aborted) == (1, 0)


async def test_client_that_closes_its_connection_ends_its_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the server: recorded as 499, nobody's failure."""
    fault, delayed = faulting(delay_s=3600.0), asyncio.Event()

    def step(exchange: Exchange) -> Any:
        delayed.set()
        return fault.step(exchange)

    monkeypatch.setattr(gateway, "planner", lambda *_, **__: lambda _: RoutePlan((step,), (step,), never))
    async with gateway.data_plane(gateway.document(gateway.route(respond={"status": 200}))) as plane:
        async with gateway.RawClient(plane.port) as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
            await delayed.wait()
        finished = await plane.until_finished(1)

    assert (finished[0].status, finished[0].outcome) == (CLIENT_CLOSED_REQUEST, Outcome.CLIENT_GONE)


async def never(_exchange: Exchange) -> Rejection | None:
    raise AssertionError("the destination was reached")


async def test_share_of_the_requests_is_hit() -> None:
    """About one in twenty, with the chance that it was given."""
    step = faulting(abort=500, share=0.05)
    refusals = [await end(step) for _ in range(2000)]

    assert 60 <= sum(refusal is not None for refusal in refusals) == step.aborted <= 140
