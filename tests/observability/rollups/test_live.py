"""What a worker tells each second."""

import asyncio
from typing import Any

import pytest

from observability.rollups import live as module
from observability.rollups.live import LiveTraffic
from observability.traffic.recorder import Batch
from tests.support.traffic_rows import fold


def told() -> tuple[LiveTraffic, list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []
    return LiveTraffic(heard.append, worker="w1"), heard


def serve(live: LiveTraffic, count: int = 1, **what: Any) -> None:
    live.take(Batch(fold(count, **what), count, 0.0))


def test_a_second_is_one_summary() -> None:
    live, heard = told()
    serve(live, 3)
    serve(live, 2, status=503, code="CIRCUIT_OPEN")
    serve(live, 9, route="", service="")  # the gateway's own pages
    live.summarise()
    (summary,) = heard
    assert (summary["worker"], summary["requests"], summary["errors"]) == ("w1", 5, 2)
    assert summary["classes"] == {"2xx": 3, "5xx": 2}
    assert sum(summary["buckets"].values()) == 5


def test_quiet_seconds_are_not_told() -> None:
    """But the first one."""
    live, heard = told()
    live.summarise()
    serve(live)
    for _ in range(4):
        live.summarise()
    assert [each["requests"] for each in heard] == [1, 0]


async def test_it_tells_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.01)
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    live = LiveTraffic(heard.put_nowait, worker="w1")
    live.start()
    serve(live)
    async with asyncio.timeout(10):
        assert (await heard.get())["requests"] == 1
        serve(live)
        while not (await heard.get())["requests"]:
            pass
    live.stop()
    live.stop()
