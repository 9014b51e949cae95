"""examples/discovery_client.py against a whole gateway: it registers, heartbeats, comes back, and leaves."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.functional.test_discovery import gateway, urls
from tests.support.process import ROOT, Running, Site, eventually

pytestmark = pytest.mark.timeout(300)


@asynccontextmanager
async def client(port: int, key: str, *options: str) -> AsyncIterator[Running]:
    """The example as a process."""
    here = f"http://127.0.0.1:{port}"
    fixed = (
        "--gateway",
        here,
        "--service",
        "orders",
        "--port",
        "9101",
        "--host",
        "orders.test",
        "--ttl",
        "1",
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, ROOT / "examples" / "discovery_client.py", *fixed, *options,
        env={"GATEWAY_KEY": key},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    running = Running(process)
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await running.ended()
    assert "Traceback" not in running.text, running.text


async def test_heartbeats_until_told_to_stop(site: Site) -> None:
    """Its lease outlives several ttls, is made anew when staff end it, and is gone after SIGTERM."""
    async with gateway(site) as (running, staff, robot, _):
        await staff.do("from routing import leases; from routing.models import Lease")
        async with client(running.port, robot.field.split()[1]) as example:
            await example.said("registered http://orders.test:9101 as .*: approved")
            expiry = "result = Lease.objects.get(ended_at=None).expires_at.timestamp()"
            first = await staff.do(expiry)

            async def is_later() -> bool:
                return bool(await staff.do(expiry) > first + 2)

            await eventually(is_later)
            assert await urls(running, robot) == ["http://orders.test:9101"]
            await staff.do("leases.end([Lease.objects.get(ended_at=None).pk], by='ada', why='drill')")
            await example.said("the lease has ended")
            await eventually(lambda: example.text.count("registered http") == 2)
            example.process.send_signal(signal.SIGTERM)
            assert await example.ended() == 0
        assert await urls(running, robot) == []
        assert await staff.do("result = Lease.objects.filter(ended_why=leases.LEFT).count()") == 1


async def test_a_gateway_that_is_away(site: Site) -> None:
    """It waits for one that is not there yet; what is refused ends it with the reason."""
    async with (
        gateway(site) as (running, _, robot, other),
        client(running.port, other.field.split()[1]) as example,
    ):
        await example.said("registered")
        async with client(running.port, robot.field.split()[1]) as late:
            assert await late.ended() == 1
            assert "FORBIDDEN" in late.text
        async with client(running.port, "tor_nonsense") as nobody:
            assert await nobody.ended() == 1
            assert "AUTH_ERROR" in nobody.text
        async with client(1, "key") as alone:
            await alone.said("the gateway is away")
            alone.process.send_signal(signal.SIGTERM)
            assert await alone.ended() == 0
