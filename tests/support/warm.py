"""I: `manage.py …` as a process that does not import everything anew: each command is a fork of one that waits.

What is imported beforehand reads neither settings nor the environment. A command has its own environment, folder and
output, and ends as any other does.
"""

import asyncio
import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MANAGE = str(ROOT / "manage.py")
LIBRARIES = (
    *(
        "cryptography.x509",
        "jwt",
        "orjson",
        "psycopg",
        "pydantic",
        "redis.asyncio",
        "requests",
        "sqlparse",
        "yaml",
    ),
    *("django.contrib.postgres.fields", "django.core.management", "django.db.backends.sqlite3.base"),
    *("django.forms", "django.http", "django.views"),
)


def run(arguments: list[str], *, env: dict[str, str], cwd: Path, timeout_s: float) -> tuple[int, str, str]:
    """Runs a command to its end; its exit status and what it wrote."""
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.settimeout(timeout_s)
        _ask(connection, [out.fileno(), err.fileno()], [arguments, env, str(cwd), False])
        with connection.makefile() as told:
            pid = int(told.readline())
            try:
                code = int(told.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise
        for file in (out, err):
            file.seek(0)
        return code, out.read().decode(), err.read().decode()


class Started:
    """A command that goes on, as asyncio has processes; it leads a session, and both its outputs are `stdout`."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader, told: asyncio.StreamReader) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._ending = asyncio.create_task(self._end(told))

    async def _end(self, told: asyncio.StreamReader) -> int:
        self.returncode = int(await told.readline())
        return self.returncode

    async def wait(self) -> int:
        return await asyncio.shield(self._ending)

    def send_signal(self, number: int) -> None:
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def start(arguments: list[str], *, env: dict[str, str], cwd: Path) -> Started:
    """Begins a command."""
    loop = asyncio.get_running_loop()
    connection = socket.socket(socket.AF_UNIX)
    read, write = os.pipe()
    try:
        await asyncio.to_thread(_ask, connection, [write, write], [arguments, env, str(cwd), True])
    finally:
        os.close(write)
    stdout = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(read, "rb", 0))
    told, writer = await asyncio.open_unix_connection(sock=connection)
    started = Started(int(await told.readline()), stdout, told)
    started._ending.add_done_callback(lambda _: writer.close())
    return started


def _ask(connection: socket.socket, output: list[int], command: list[Any]) -> None:
    connection.connect(address())
    socket.send_fds(connection, [b"."], output)
    connection.sendall(json.dumps(command).encode() + b"\n")


@cache
def address() -> str:
    """The address of this process's server, which ends with this process."""
    place = Path(tempfile.mkdtemp(prefix="torana-warm-")) / "socket"
    server = subprocess.Popen(
        [sys.executable, __file__, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    server.stdout.close()
    atexit.register(server.communicate)
    return str(place)


def serve(place: str) -> list[str]:
    """Waits for commands; returns in the fork that is to run one, with its arguments."""
    sys.path[0] = str(ROOT)
    for name in (*LIBRARIES, *pure()):
        importlib.import_module(name)
    gc.freeze()  # so that no fork's collector touches, and so copies, what they share
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen(64)
        print("ready", flush=True)  # noqa: T201
        while listener in select.select([listener, 0], [], [])[0]:
            connection, _ = listener.accept()
            if not os.fork():
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return become(connection)
            connection.close()
    Path(place).unlink()
    Path(place).parent.rmdir()
    os._exit(0)


def pure() -> Iterator[str]:
    """The modules that read nothing when they are imported: those of the roles P and I."""
    for package in ("resilience", "routing", "authproxy"):
        for file in sorted((ROOT / package).rglob("*.py")):
            if file.read_text().startswith(('"""P:', '"""I:')):
                yield ".".join(file.relative_to(ROOT).with_suffix("").parts)


def become(connection: socket.socket) -> list[str]:
    """In one process tells how the command ended, in another returns to be it."""
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as said:
        arguments, env, cwd, leads = json.loads(said.readline())
    if pid := os.fork():
        for number in files:
            os.close(number)
        with suppress(OSError):  # whoever asked has left
            connection.sendall(f"{pid}\n".encode())
            _, status = os.waitpid(pid, 0)
            connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    connection.close()
    if leads:
        os.setsid()
    if len(files) == 2:  # output alone
        files.insert(0, os.open(os.devnull, os.O_RDONLY))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    return list[str](arguments)


def main(place: str) -> dict[str, Any]:
    sys.argv = [MANAGE, *serve(place)]
    return runpy.run_path(MANAGE, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1])
