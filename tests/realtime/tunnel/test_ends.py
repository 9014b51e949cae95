"""The two sides of a connection: what is written ahead of a peer that does not read is bounded."""

import asyncio

from websockets.asyncio.server import ServerConnection

from tests.support.process import eventually
from tests.support.sockets import closed, line

MANY = 400
PIECE = b"x" * 100_000


async def test_a_client_that_does_not_read_stops_the_service() -> None:
    """The service cannot write on; nothing is lost once the client reads."""
    sent = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal sent
        for _ in range(MANY):
            await socket.send(PIECE)
            sent += 1
        await socket.wait_closed()

    async with line(handler) as there, there.connect(max_queue=1) as socket:
        before = -1
        while before != sent:  # until nothing moves any more
            before = sent
            await asyncio.sleep(0.2)
        assert sent < MANY
        held = sum(transport.get_write_buffer_size() for transport in _transports(there.sockets))
        assert held < 2_000_000
        for _ in range(MANY):
            assert await socket.recv() == PIECE
        assert sent == MANY


async def test_a_service_that_does_not_read_stops_the_client() -> None:
    """And goes on where it was."""
    may_read = asyncio.Event()
    got = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal got
        await may_read.wait()
        async for _ in socket:
            got += 1

    async with line(handler, server={"max_queue": 1}) as there, there.connect() as socket:
        sending = asyncio.create_task(_send_all(socket))
        await eventually(lambda: any(each.get_write_buffer_size() for each in _transports(there.sockets)))
        assert not sending.done()
        may_read.set()
        async with asyncio.timeout(20):
            await sending
        await socket.close()
        await closed(socket)
    assert got == MANY


async def _send_all(socket: object) -> None:
    for _ in range(MANY):
        await socket.send(PIECE)  # type: ignore[attr-defined]


def _transports(sockets: object) -> list[asyncio.Transport]:
    found = []
    for socket in sockets._open.values():  # type: ignore[attr-defined]
        found += [socket.course.client.transport, socket.course.upstream.transport]
    return found
