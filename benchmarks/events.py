"""I: What events cost: a silent subscriber's memory, many events to many, and the way from one worker to another."""

import asyncio
import json
import time
from typing import Final

from benchmarks import documents, proc, socketload
from benchmarks.errors import BenchmarkError
from benchmarks.lineup import Proxy
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.socketload import Client

WS: Final = "/api/v1/ws"
_POST: Final = "/api/v1/events"
TOPIC: Final = "generation.1"
_SETTLE_S: Final = 2.0
_WAIT_S: Final = 60.0
_APART_S: Final = 0.005
_WORKERS: Final = 2
_OF_TWO: Final = 16
"""Subscribers of two workers; it is seen to that both have some, whichever takes what is published."""


def peer(redis_url: str = "none", *, workers: int = 1) -> Peer:
    """Torana with realtime alone; anybody may subscribe and publish."""

    def prepare(site: Site) -> Launch:
        launch = torana.serving(documents.bare(site.upstream_port), site)
        env = {**launch.env, "REDIS_URL": redis_url, "ENABLE_AUTHENTICATION": "false"}
        return Launch((*launch.command, "--workers", str(workers)), env, launch.ready_path)

    return Peer(f"Torana events {workers}", prepare, torana.TORANA.version)


async def idle_kb(proxy: Proxy, count: int) -> float:
    """Resident memory of the process tree for each silent subscriber."""
    before = proc.memory_kb(proxy.child.pid, "VmRSS")
    clients = await socketload.opened(proxy.port, WS, count, lambda _client, _data: None, {})
    await asyncio.sleep(_SETTLE_S)  # what handshakes took is given back
    after = proc.memory_kb(proxy.child.pid, "VmRSS")
    _close(clients)
    return (after - before) / count


async def spread_s(proxy: Proxy, *, subscribers: int, events: int) -> float:
    """CPU seconds of the gateway for so many events to so many, each of them delivered."""
    left = subscribers * events
    done = asyncio.Event()

    def heard(_client: Client, data: bytes) -> None:
        nonlocal left
        if b'"type":"event"' in data[:16]:
            left -= 1
            if not left:
                done.set()

    clients = await _subscribed(proxy, subscribers, heard)
    before = proc.cpu_us(proxy.child.pid)
    publisher = await Publisher.opened(proxy.port)
    async with asyncio.timeout(_WAIT_S):
        for number in range(events):
            await publisher.publish({"percent": number})
        await done.wait()
    used_us = proc.cpu_us(proxy.child.pid) - before
    publisher.close()
    _close(clients)
    return used_us / 1e6


async def between_ms(proxy: Proxy, *, events: int) -> float:
    """p99 of the time from a publisher's socket to the last subscriber's; some are at the worker that took nothing.

    Raises BenchmarkError where one worker has all subscribers: then nothing would go between workers.
    """
    arrived: dict[int, int] = {}
    times: list[float] = []
    is_there = asyncio.Event()

    def heard(_client: Client, data: bytes) -> None:
        message = json.loads(data)
        if message["type"] != "event":
            return
        number, sent = message["data"]
        arrived[number] = arrived.get(number, 0) + 1
        if arrived[number] == _OF_TWO:
            times.append((time.monotonic() - sent) * 1000)
            is_there.set()

    clients = await _subscribed(proxy, _OF_TWO, heard)
    if len(proc.connections(proxy.child.pid, proxy.port)) < _WORKERS:
        raise BenchmarkError("one worker had all the subscribers")
    publisher = await Publisher.opened(proxy.port)
    async with asyncio.timeout(_WAIT_S):
        for number in range(events):
            is_there.clear()
            await publisher.publish([number, time.monotonic()])
            await is_there.wait()
            await asyncio.sleep(_APART_S)
    publisher.close()
    _close(clients)
    return sorted(times)[int(len(times) * 0.99)]


class Publisher:
    """One connection that posts events, one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def opened(cls, port: int) -> "Publisher":
        """On this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def publish(self, data: object) -> None:
        """Returns when it was taken."""
        body = json.dumps({"topic": TOPIC, "type": "progress", "data": data}).encode()
        fields = "Host: bench\r\nContent-Type: application/json\r\n"
        self._writer.write(
            f"POST {_POST} HTTP/1.1\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
        answer = await self._reader.readexactly(length)
        if " 202 " not in lines[0]:
            raise AssertionError(answer.decode())

    def close(self) -> None:
        """At once."""
        self._writer.close()


async def _subscribed(proxy: Proxy, count: int, heard: socketload.OnMessage) -> list[Client]:
    left = count
    done = asyncio.Event()

    def on_message(client: Client, data: bytes) -> None:
        nonlocal left
        if b'"subscribed"' in data[:24]:
            left -= 1
            if not left:
                done.set()
        heard(client, data)

    clients = await socketload.opened(proxy.port, WS, count, on_message, {})
    for client in clients:
        client.send(json.dumps({"type": "subscribe", "topic": TOPIC}).encode())
    async with asyncio.timeout(_WAIT_S):
        await done.wait()
    return clients


def _close(clients: list[Client]) -> None:
    for client in clients:
        client.transport.abort()
