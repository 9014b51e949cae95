"""The supervisor and its workers as real processes: crashes, reloads under load, all the ways to stop."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.support.supervised import Supervised, gone, supervised
from tests.support.wire import Wire

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def test_serves_in_its_role() -> None:
    """Each worker has the role, says so, and SIGTERM ends everything with status 0."""
    async with supervised(workers=2, role="data") as server:
        pid, role = await server.get()
        pids = await server.pids()
        server.process.terminate()
        status = await server.ended()

    assert role == "data"
    assert int(pid) in pids
    assert len(pids) == 2
    assert status == 0
    for each in pids:
        await gone(each)


async def test_killed_worker_is_replaced() -> None:
    """kill -9 of a worker: another one serves, and a new one takes its place."""
    async with supervised(workers=2) as server:
        before = await server.pids()
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        await server.said(rf"worker {victim} was killed by SIGKILL; replacing it now")
        survivor = int((await server.get())[0])
        async with asyncio.timeout(10):
            while len(after := await server.pids() - {victim}) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    assert survivor in before - {victim}
    assert len(after - before) == 1


async def test_sole_killed_worker_refuses_nobody() -> None:
    """The supervisor holds the listening socket: a connection made meanwhile waits for the new worker."""
    async with supervised() as server:
        victim = int((await server.get())[0])
        os.kill(victim, signal.SIGKILL)
        successor = int((await server.get())[0])

    assert successor != victim


async def test_worker_that_fails_again_and_again(tmp_path: Path) -> None:
    """Restarts come at growing intervals, without end, since it did work once."""
    async with supervised(app="reluctant", env={"ONCE": str(tmp_path / "once")}) as server:
        os.kill(int((await server.get())[0]), signal.SIGKILL)
        await server.said("was killed by SIGKILL; replacing it now")
        await server.said(r"exited with status 3; replacing it in 0\.5 s")
        await server.said(r"exited with status 3; replacing it in 1 s")
        assert server.process.returncode is None


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("refusing", "the database is on holiday"),
        ("nothing", "cannot load tests.support.hosted:nothing: AttributeError"),
    ],
)
async def test_first_start_that_fails_is_final(app: str, message: str) -> None:
    """It says why, without a traceback, and exits with status 1."""
    async with supervised(app=app, workers=2, ready=False) as server:
        status = await server.ended()
    said = "\n".join(server.lines)

    assert status == 1
    assert message in said
    assert "before it was ready; giving up" in said
    assert "Traceback" not in said


async def test_start_that_never_ends_is_given_up() -> None:
    """A worker that is not ready in time is killed."""
    async with supervised(app="endless", ready=False, ready_timeout_s=1.0) as server:
        status = await server.ended()

    assert status == 1
    assert "was not ready in 1 s; killing it" in "\n".join(server.lines)


async def test_port_in_use() -> None:
    """Said in words, with status 1."""
    async with supervised() as first, supervised(port=first.port, ready=False) as second:
        status = await second.ended()

    assert status == 1
    assert second.lines == [
        f"torana: port {first.port} on 127.0.0.1 is in use by another process; "
        "stop that one or choose another port"
    ]


async def load(server: Supervised, stop: asyncio.Event) -> tuple[int, set[str]]:
    """One client that keeps its connection as long as it may; anything but a whole answer raises."""
    count, pids = 0, set()
    while not stop.is_set():
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        wire = Wire(reader, writer)
        persist = True
        while persist and not stop.is_set():
            await wire.send(GET)
            reply = await wire.reply()
            assert reply.status == 200
            pids.add(reply.body.decode().split()[0])
            count += 1
            persist = reply.header("connection") != "close"
            await asyncio.sleep(0.001)
        writer.close()
    return count, pids


async def test_rolling_reload_under_load() -> None:
    """SIGHUP, twice: every worker is replaced, no request fails, one that is under way finishes."""
    stop = asyncio.Event()
    async with supervised(workers=2) as server:
        before = await server.pids()
        clients = [asyncio.create_task(load(server, stop)) for _ in range(8)]
        slow = asyncio.create_task(server.get("/?1.5"))
        await server.said("asked to wait")
        for _ in range(2):
            server.process.send_signal(signal.SIGHUP)
            await server.said("replacing every worker")
        for pid in before:
            await gone(pid)
        await asyncio.sleep(0.3)
        stop.set()
        results = await asyncio.gather(*clients)
        after = await server.pids()
        last = int((await server.get())[0])

    assert int((await slow)[0]) in before
    assert sum(count for count, _ in results) > 100
    assert not before & after
    assert last in after


async def test_reload_that_fails_changes_nothing(tmp_path: Path) -> None:
    """A new worker that does not start leaves the old ones serving."""
    async with supervised(app="reluctant", env={"ONCE": str(tmp_path / "once")}) as server:
        before = await server.get()
        server.process.send_signal(signal.SIGHUP)
        await server.said("reload given up: the new worker .* before it was ready")

        assert await server.get() == before


async def test_request_in_flight_survives_the_stop() -> None:
    """SIGTERM and SIGINT let it finish; then the port is free."""
    for number in (signal.SIGTERM, signal.SIGINT):
        async with supervised() as server:
            slow = asyncio.create_task(server.get("/?0.5"))
            await server.said("asked to wait")
            server.process.send_signal(number)
            await server.said("stopping")
            words = await slow
            status = await server.ended()
            with pytest.raises(ConnectionRefusedError):
                await server.get()

        assert words[1] == "all"
        assert status == 0


async def test_second_interrupt_forces() -> None:
    """Whoever presses Ctrl-C twice does not want to wait."""
    async with supervised(drain_timeout_s=60.0) as server:
        pids = await server.pids()
        slow = asyncio.create_task(server.get("/?60"))
        await server.said("asked to wait")
        server.process.send_signal(signal.SIGINT)
        await server.said("stopping")
        server.process.send_signal(signal.SIGINT)
        status = await server.ended()
        with pytest.raises((ConnectionError, AssertionError)):
            await slow

    assert status == 130
    for pid in pids:
        await gone(pid)


async def test_workers_do_not_outlive_their_supervisor() -> None:
    """kill -9 of the supervisor: the workers notice and leave."""
    async with supervised(workers=2) as server:
        pids = await server.pids()
        assert len(pids) == 2
        server.process.kill()
        for pid in pids:
            await gone(pid)


async def test_worker_that_is_told_to_stop_is_replaced() -> None:
    """SIGTERM to a worker alone: it leaves in order, and another takes its place."""
    async with supervised(workers=1) as server:
        pid = int((await server.get())[0])
        os.kill(pid, signal.SIGTERM)
        await server.said(rf"worker {pid} exited with status 0; replacing it now")

        assert int((await server.get())[0]) != pid


async def test_starting_worker_does_not_outlive_its_supervisor() -> None:
    """Nor does one whose startup hangs."""
    async with supervised(app="endless", ready=False) as server:
        await server.said("its startup has begun")
        pids = await server.pids()
        server.process.kill()
        for pid in pids:
            await gone(pid)
        assert len(pids) == 1
