"""Whole processes for black-box tests: installations, commands that end, and gateways that serve."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psycopg
import yaml

from tests.support import warm
from tests.support.beforehand import WORKER
from tests.support.gateway import Answer, RawClient
from tests.support.warm import MANAGE as MANAGE
from tests.support.warm import ROOT as ROOT

T = TypeVar("T")
PATIENCE_S = 50.0
SERVING = r"serving on http://127\.0\.0\.1:(\d+)"


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON that it printed."""
        return json.loads(self.out)


class Running:
    """A program that goes on running; `lines` are what it has said so far, on either stream."""

    def __init__(self, process: asyncio.subprocess.Process | warm.Started) -> None:
        self.process = process
        self.lines: list[str] = []
        self.port = 0
        self._more = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    @property
    def text(self) -> str:
        return "".join(self.lines)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode():
            async with self._more:
                self.lines.append(line)
                self._more.notify_all()
        async with self._more:
            self._more.notify_all()

    async def said(self, pattern: str) -> re.Match[str]:
        """Waits until a line has matched; fails at once if the program has ended without it."""
        found: re.Match[str] | None = None

        def heard() -> bool:
            nonlocal found
            found = next(filter(None, (re.search(pattern, line) for line in self.lines)), None)
            return found is not None or (self.process.stdout is not None and self.process.stdout.at_eof())

        async with asyncio.timeout(PATIENCE_S), self._more:
            await self._more.wait_for(heard)
        assert found, f"{pattern!r} was not said:\n{self.text}"
        return found

    async def ended(self) -> int:
        """Its exit status, once it and everything that shares its output has ended."""
        async with asyncio.timeout(PATIENCE_S):
            await self._reading
            return await self.process.wait()

    def interrupt(self) -> None:
        """Ctrl-C: the signal goes to the whole foreground process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def workers(self) -> list[int]:
        """The processes that serve."""
        return sorted(filter(is_worker, children(self.process.pid)))

    async def get(self, path: str, *headers: str, **options: Any) -> Answer:
        """One request on a connection of its own."""
        async with RawClient(self.port) as client:
            return await client.get(path, "Connection: close", *headers, **options)

    async def until(self, path: str, wanted: int | bytes) -> Answer:
        """Asks on new connections until the answer has this status or body."""

        async def ask() -> Answer | None:
            answer = await self.get(path)
            return answer if wanted in (answer.status, answer.body) else None

        return await eventually(ask)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_line(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def is_worker(pid: int) -> bool:
    """Whether it is a worker, be it a program or a fork."""
    if "server.worker" in command_line(pid):
        return True
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip() == WORKER
    return False


async def eventually(look: Callable[[], Awaitable[T] | T], *, every_s: float = 0.02) -> T:
    """Looks until it sees something, where another process changes it and nothing tells; what it saw."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            seen = look()
            if found := (await seen if isinstance(seen, Awaitable) else seen):
                return found
            await asyncio.sleep(every_s)


async def gone(pids: Iterable[int]) -> None:
    """Waits until none of these processes runs any more (one that nobody has reaped yet counts as ended)."""
    await eventually(lambda: not any(map(command_line, pids)))


@asynccontextmanager
async def connections_to_each_worker(running: Running) -> AsyncIterator[list[RawClient]]:
    """One kept-alive connection to every worker: while one is asked, the others are stopped and cannot accept."""
    clients: list[RawClient] = []
    workers = running.workers()
    try:
        for worker in workers:
            others = [other for other in workers if other != worker]
            for other in others:
                os.kill(other, signal.SIGSTOP)
            try:
                client = await RawClient(running.port).__aenter__()
                clients.append(client)
                await client.get("/health/live")
            finally:
                for other in others:
                    os.kill(other, signal.SIGCONT)
        yield clients
    finally:
        for client in clients:
            await client.__aexit__()


class _Plain(yaml.SafeDumper):
    """Writes out what occurs twice: documents have no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


@dataclass
class Site:
    """One installation: a folder of its own and the environment of everything that runs in it."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def var_dir(self) -> Path:
        return self.folder / "var"

    @property
    def database_url(self) -> str:
        return self.env["DATABASE_URL"]

    def environ(self, **env: str) -> dict[str, str]:
        own = {"VAR_DIR": str(self.var_dir), "REDIS_URL": "none", "GATEWAY_PORT": "0"}
        own["ALLOWED_HOSTS"] = "127.0.0.1,gateway.test"  # the latter is what RawClient says
        return {**os.environ, **own, **self.env, **env}

    def write(self, document: Any, name: str = "document.yaml") -> str:
        """A file that holds the document, or the text."""
        file = self.folder / name
        file.write_text(
            document if isinstance(document, str) else yaml.dump(document, Dumper=_Plain, sort_keys=False)
        )
        return str(file)

    async def manage(self, *arguments: str, **env: str) -> Done:
        """Runs `manage.py …` to its end. No command may ever show a traceback."""
        env = self.environ(**env)
        done = Done(
            *await asyncio.to_thread(
                warm.run, [*arguments], env=env, cwd=self.folder, timeout_s=2 * PATIENCE_S
            )
        )
        assert "Traceback" not in done.out + done.err, done.err
        return done

    async def gateway(self, *arguments: str, **env: str) -> Done:
        return await self.manage("gateway", *arguments, **env)

    async def apply(self, document: Any, *arguments: str) -> Done:
        """Applies a document that must be accepted."""
        done = await self.gateway("apply", self.write(document), *arguments)
        assert done.code == 0, done.err
        return done

    @asynccontextmanager
    async def running(self, *arguments: str, **env: str) -> AsyncIterator[Running]:
        """`manage.py …` as a foreground process of a terminal: a process group of its own. No traceback, ever."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            MANAGE,
            *arguments,
            env=self.environ(**env),
            cwd=self.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        async with self._held(process) as running:
            yield running

    @asynccontextmanager
    async def _held(self, process: asyncio.subprocess.Process | warm.Started) -> AsyncIterator[Running]:
        running = Running(process)
        try:
            yield running
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await running.ended()
        assert "Traceback" not in running.text, running.text

    @asynccontextmanager
    async def serving(self, *arguments: str, anew: bool = False, **env: str) -> AsyncIterator[Running]:
        """`gateway serve` on a free port, ready. It and its workers are forks, or programs that import all `anew`."""
        begin = self.running if anew else self.forked
        async with begin("gateway", "serve", "--port", "0", *arguments, **env) as running:
            running.port = int((await running.said(SERVING))[1])
            yield running

    @asynccontextmanager
    async def forked(self, *arguments: str, **env: str) -> AsyncIterator[Running]:
        """As `running`, but without the second that it takes to import everything anew."""
        process = await warm.start([*arguments], env=self.environ(**env), cwd=self.folder)
        async with self._held(process) as running:
            yield running

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Runs one statement behind the gateway's back; `?` stands for a value."""
        if self.database_url.startswith("sqlite"):
            connection = sqlite3.connect(self.database_url.removeprefix("sqlite:///"), timeout=10)
            try:
                with connection:
                    return connection.execute(statement, values).fetchall()
            finally:
                connection.close()
        with psycopg.connect(self.database_url) as opened:
            cursor = opened.execute(statement.replace("?", "%s"), values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def through(self, port: int) -> str:
        """The database's URL by way of a proxy on that port."""
        parts = urlsplit(self.database_url)
        user = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()
