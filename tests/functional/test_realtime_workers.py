"""Subscribers of two workers through the death of one: the others notice nothing, its own come back without loss."""

import asyncio
import json
import os
import signal
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from realtime.hub.hub import Hub
from realtime.hub.stream import RedisStream
from tests.support.gateway import document, route
from tests.support.hubs import TOPIC, publish
from tests.support.process import Running, Site, eventually
from tests.support.redisserver import RedisServer

pytestmark = [pytest.mark.timeout(120)]


class Client:
    """Subscribes, keeps what it gets, and comes back with the last id if it loses its connection."""

    def __init__(self, running: Running) -> None:
        self._url = f"ws://127.0.0.1:{running.port}/api/v1/ws"
        self.got: list[Any] = []
        self.last = ""
        self.losses = 0
        self.codes: list[int | None] = []
        self.is_ready = asyncio.Event()

    async def run(self) -> None:
        while True:
            try:
                async with connect(self._url, proxy=None) as socket:
                    await self._listen(socket)
            except (ConnectionClosed, OSError):
                await asyncio.sleep(0.05)

    async def _listen(self, socket: ClientConnection) -> None:
        await socket.recv()
        more = {"last_event_id": self.last} if self.last else {}
        await socket.send(json.dumps({"type": "subscribe", "topic": TOPIC, **more}))
        try:
            async for text in socket:
                message = json.loads(text)
                self.is_ready.set()
                if message["type"] == "event":
                    self.got.append(message["data"])
                    self.last = message["id"]
                elif message["type"] != "subscribed":
                    self.got.append(message["type"])
        finally:
            self.losses += 1
            self.codes.append(socket.close_code)


def sockets_of(pid: int) -> int:
    """How many a process has open."""
    found = 0
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            found += str(each.readlink()).startswith("socket:")
    return found


async def test_one_worker_is_killed(site: Site, tmp_path: Path) -> None:
    site.env["ENABLE_AUTHENTICATION"] = "false"
    with RedisServer(tmp_path) as server:
        site.env["REDIS_URL"] = server.url
        await site.apply(document(route("r", path="/r", respond={"status": 200, "body": "x"})))
        async with site.serving("--workers", "2") as running, AsyncExitStack() as stack:
            stream = RedisStream(server.url, key="{torana:events}", rng=Random(1))
            elsewhere = Hub(node="test", stream=stream)
            await elsewhere.start()
            stack.push_async_callback(elsewhere.stop)
            clients = [Client(running) for _ in range(16)]
            tasks = [asyncio.create_task(client.run()) for client in clients]
            for task in tasks:
                stack.callback(task.cancel)
            await asyncio.gather(*(client.is_ready.wait() for client in clients))
            before = sorted(running.workers(), key=sockets_of, reverse=True)  # the one that has most of them
            for number in range(200):
                if number == 80:
                    os.kill(before[0], signal.SIGKILL)
                await publish(elsewhere, number)
                await asyncio.sleep(0.005)
            await eventually(lambda: all(client.got[-1:] == [199] for client in clients) or None)
            await eventually(lambda: len(running.workers()) == 2 or None)
            lost = [client for client in clients if client.losses]

            assert all(client.got == list(range(200)) for client in clients)
            assert lost

            running.process.send_signal(signal.SIGTERM)
            await eventually(lambda: all(client.codes[-1:] == [1012] for client in clients) or None)
            assert all(client.got[200] == "reconnect" for client in clients)
