"""I: `manage.py …` as a process that does not import everything anew: each command is a fork of one that waits.

So is another program that is made of the project's modules. A command has its own environment, settings, folder and
output, and ends as any other does. `gateway serve` has workers that are forks as well.
"""

import asyncio
import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from tests.support import beforehand
from tests.support.beforehand import MANAGE as MANAGE
from tests.support.beforehand import ROOT as ROOT

WARMLY = str(ROOT / "tests/support/warmly.py")


def run(arguments: list[str], *, env: dict[str, str], cwd: Path, timeout_s: float) -> tuple[int, str, str]:
    """Runs a command to its end; its exit status and what it wrote."""
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.settimeout(timeout_s)
        _ask(connection, [out.fileno(), err.fileno()], [[MANAGE, *arguments], env, str(cwd), False])
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
        await asyncio.to_thread(_ask, connection, [write, write], [[MANAGE, *arguments], env, str(cwd), True])
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
        [sys.executable, "-m", "tests.support.warm", str(place)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    server.stdout.close()
    atexit.register(server.communicate)
    return str(place)


def serve(place: str) -> list[str]:
    """Waits for commands; returns in the fork that is to run one, with its program and arguments."""
    beforehand.import_all()
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


def become(connection: socket.socket) -> list[str]:
    """In one process tells how the command ended, in another returns to be it."""
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as said:
        command, env, cwd, leads = json.loads(said.readline())
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
    is_other = interpreted(os.environ) != interpreted(env)
    os.environ.clear()
    os.environ.update(env)
    if is_other:
        os.execve(sys.executable, [sys.executable, *command], env)
    # What quickstart does before it reads settings cannot be done twice.
    beforehand.anew(None if command[:2] == [MANAGE, "quickstart"] else command)
    return list[str](command)


def interpreted(environ: Mapping[str, str]) -> dict[str, str]:
    """What the interpreter reads when it begins; where it keeps what it has compiled makes no difference."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("PYTHON")
        and name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED")
    }


def main(place: str) -> None:
    sys.argv = serve(place)
    code: int | str | None = None
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as error:
        code = error.code
    if isinstance(code, str):
        sys.exit(code)
    end(code or 0)


def end(code: int) -> None:
    """As the interpreter ends, but for taking apart all that was imported, which takes longer than most commands.

    What is told of objects that nobody holds any more is told.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    gc.collect()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)  # the interpreter says so, in its way
    os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1])
