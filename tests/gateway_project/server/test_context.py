"""What connections share."""

import asyncio
from typing import Any

import pytest

from gateway_project.server import refusals
from gateway_project.server.context import REFUSAL_LISTENERS, ServerContext
from gateway_project.server.draining import DrainState
from gateway_project.server.limits import ServerLimits


class Held:
    """A cycle whose head is held."""

    def __init__(self) -> None:
        self.flushed = 0

    def flush_head(self) -> None:
        self.flushed += 1


def context(drain: DrainState | None = None) -> ServerContext:
    return ServerContext(ServerLimits(), drain or DrainState(), asyncio.get_running_loop())


async def test_heads_are_flushed_with_the_turn() -> None:
    """All that were held in one turn of the loop, once each."""
    shared, cycles = context(), [Held(), Held()]
    for cycle in cycles:
        shared.hold_head(cycle)  # type: ignore[arg-type]
    at_once = [cycle.flushed for cycle in cycles]
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert at_once == [0, 0]
    assert [cycle.flushed for cycle in cycles] == [1, 1]


async def test_draining_has_a_beginning() -> None:
    """Idle connections get their grace from then on."""
    drain = DrainState()
    shared = context(drain)
    before = shared.draining_since_s
    drain.begin()

    assert before == 0.0
    assert shared.draining_since_s == pytest.approx(asyncio.get_running_loop().time(), abs=1)


async def test_refusals_are_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """To every listener, though one fails."""
    told: list[Any] = []

    def fails(*_: object) -> None:
        raise ValueError("listener")

    monkeypatch.setitem(vars(refusals), "unused", None)
    REFUSAL_LISTENERS.extend([fails, lambda *about: told.append(about)])
    try:
        context().tell_refusal(refusals.HEAD_TOO_LARGE, "192.0.2.1", "r-1")
    finally:
        REFUSAL_LISTENERS.clear()

    assert told == [(refusals.HEAD_TOO_LARGE, "192.0.2.1", "r-1")]
    assert "A refusal listener failed" in caplog.text
