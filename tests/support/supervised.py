"""A supervisor with its workers, as processes of their own."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = """
import sys
from gateway_project.server.supervisor import serve
assert not {"django", "asyncio", "uvicorn"} & set(sys.modules)
sys.exit(serve(**eval(sys.argv[1])))
"""
PATIENCE_S = 20.0


class Supervised:
    """`lines` are what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.port = 0

    async def said(self, pattern: str) -> re.Match[str]:
        """The next line that matches."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self.process.stderr.readline()).decode():
                self.lines.append(line)
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"{pattern!r} was not said: {self.lines}")

    async def ended(self) -> int:
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            self.lines += (await self.process.stderr.read()).decode().splitlines()
            return await self.process.wait()

    async def get(self, path: str = "/") -> list[str]:
        """The body's words, over a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            async with asyncio.timeout(PATIENCE_S):
                head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        finally:
            writer.close()
        assert head.startswith("HTTP/1.1 200"), head
        return body.split()

    async def pids(self) -> set[int]:
        """Its workers' numbers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in children.split()}


@asynccontextmanager
async def supervised(
    *, app: str = "application", ready: bool = True, env: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[Supervised]:
    """Runs `serve` with `options` beside those for a quick test."""
    arguments = {"host": "127.0.0.1", "port": 0, "workers": 1, "role": "all", "grace_s": 0.0}
    arguments |= {"app": f"tests.support.hosted:{app}", "drain_timeout_s": 5.0, **options}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _SCRIPT,
        repr(arguments),
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
    )
    running = Supervised(process)
    try:
        if ready:
            running.port = int((await running.said(r"serving on http://127\.0\.0\.1:(\d+)"))[1])
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await running.ended()


async def gone(pid: int) -> None:
    """Waits until no such process runs."""
    async with asyncio.timeout(PATIENCE_S):
        while _runs(pid):  # noqa: ASYNC110 - a grandchild: nothing tells
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
