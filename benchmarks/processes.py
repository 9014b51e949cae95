"""I: Starting processes, waiting until they answer, and ending exactly those."""

import contextlib
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import proc
from benchmarks.cores import pinned
from benchmarks.errors import BenchmarkError

HOST = "127.0.0.1"
_STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Child:
    """A process that this run started, leader of its own session."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def log_tail(self, lines: int = 12) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.strip().splitlines()[-lines:])


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the caller's settings or proxies; homes and caches inside the run's own folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return {**kept, **own, **(extra or {})}


@contextlib.contextmanager
def started(
    name: str, command: Sequence[str], *, folder: Path, env: Mapping[str, str], cwd: Path, core: int | None
) -> Iterator[Child]:
    """The process for as long as the block lasts."""
    log = folder / f"{name.replace(' ', '-')}.log"
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                pinned(command, core), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=dict(env), cwd=cwd, start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise BenchmarkError(f"{name} could not be started: {error}") from error
    child = Child(name, process, log)
    try:
        yield child
    finally:
        stop(child)


def stop(child: Child) -> None:
    """SIGTERM to the leader; SIGKILL to what is left of its own tree."""
    family = [stat.pid for stat in proc.tree(child.pid)]
    with contextlib.suppress(ProcessLookupError):
        child.process.terminate()
    try:
        child.process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        family += [stat.pid for stat in proc.tree(child.pid)]
    for stat in proc.left_of(family, session=child.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(stat.pid, signal.SIGKILL)
    child.process.wait(_STOP_TIMEOUT_S)


def wait_until_ready(
    child: Child, *, port: int, path: str, timeout_s: float = 30.0, host: str = HOST
) -> None:
    """Until a GET of the path answers 200."""
    deadline = time.monotonic() + timeout_s
    seen: object = "no connection"
    while time.monotonic() < deadline:
        if child.process.poll() is not None:
            raise BenchmarkError(f"{child.name} ended with {child.process.returncode}:\n{child.log_tail()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            seen = answer_of(port, path, host=host).status
            if seen == 200:
                return
        time.sleep(0.05)
    raise BenchmarkError(f"{child.name} was not ready after {timeout_s:g} s ({seen}):\n{child.log_tail()}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read whole; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def answer_of(
    port: int, path: str, *, method: str = "GET", body: bytes | None = None, host: str = HOST
) -> Answer:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request(method, path, body=body)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
    finally:
        connection.close()
