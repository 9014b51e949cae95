"""I: Example systems as `make example` starts them, one at a time, and what tests do with them from outside."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import httpx

from tests.support import warm
from tests.support.process import children
from tests.support.warm import MANAGE, ROOT

PATIENCE_S = 60.0
PASSWORD = "correct-horse-battery"
_OWN = ("DATABASE_URL", "REDIS_URL", "VAR_DIR", "ENVIRONMENT")
"""Variables of the test run that no user has set."""
SOON_S: Final = 12.0
"""Processor time in which an example starts: twice what it takes where nothing else is done. The goal is 15 s by the
clock, which a busy machine would miss."""


@dataclass
class Companion:
    """A service of the system. What was done to it is undone with `again`."""

    name: str
    url: str
    pid: int
    command: list[str]
    """Arguments of Python."""
    environment: dict[str, str]
    """Beyond the launcher's."""
    _started: subprocess.Popen[bytes] | None = None
    _is_killed: bool = False

    def kill(self) -> None:
        """At once, as if it had crashed: connections are refused."""
        os.kill(self.pid, signal.SIGKILL)
        if self._started is not None:
            self._started.wait()
        self._is_killed = True
        until(lambda: not self.answers())

    def pause(self) -> None:
        """It takes connections and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def again(self) -> None:
        """Goes on after `pause`, starts anew after `kill`, on its port; ready when this returns."""
        if self._is_killed:
            environ = {**os.environ, **self.environment}
            self._started = subprocess.Popen([sys.executable, *self.command], cwd=ROOT, env=environ)
            self.pid, self._is_killed = self._started.pid, False
        else:
            os.kill(self.pid, signal.SIGCONT)
        until(self.answers)

    def answers(self) -> bool:
        """Whether it says anything at all to HTTP."""
        try:
            httpx.get(self.url, timeout=1.0)
        except httpx.HTTPError:
            return False
        return True

    def end(self) -> None:
        """For the one that `again` started, which the launcher does not know."""
        if self._started is not None:
            self._started.kill()
            self._started.wait()


class System:
    """One that runs. `passwords` and `keys` are those of system.yaml, by name; `lines` is what it printed."""

    def __init__(self, name: str, process: subprocess.Popen[str], var_dir: Path, prefix: str) -> None:
        self.name = name
        self.prefix = prefix
        """Of the versioned built-in endpoints."""
        self.var_dir = var_dir
        self.process = process
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        until(lambda: "Ctrl-C stops it" in self.text or process.poll() is not None)
        assert "Ctrl-C stops it" in self.text, self.text
        self.start_s = _worked_s(process.pid)
        """The processor time of the start, of all its processes."""
        told = json.loads((var_dir / "example.json").read_text())
        self.url: str = told["url"]
        self.passwords: dict[str, str] = told["passwords"]
        self.keys: dict[str, str] = told["keys"]
        self.services = {name: Companion(name, **service) for name, service in told["services"].items()}

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def logged(self, request_id: str) -> list[dict[str, Any]]:
        """What the access log has of that request; a thread writes it a little later."""
        lines = [json.loads(line) for line in self.text.splitlines() if line.startswith('{"time"')]
        return [line for line in lines if line["request_id"] == request_id]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def socket_url(self) -> str:
        """Where WebSockets go."""
        return self.url.replace("http", "ws", 1)

    @property
    def tried(self) -> list[str]:
        """The lines below "Try:"."""
        return [line.strip() for line in self.text.partition("Try:\n")[2].partition("\n\n")[0].splitlines()]

    @cached_property
    def http(self) -> httpx.Client:
        """Asks this gateway, as nobody. Connections are kept, cookies are not."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE_S)

    def ask(
        self, method: str, path: str, caller: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        """One request with the caller's fields."""
        headers = {**(caller or {}), **options.pop("headers", {})}
        try:
            return self.http.request(method, path, headers=headers, **options)
        finally:
            self.http.cookies.clear()

    def signed_in(self, name: str, password: str = "") -> dict[str, str]:
        """An account's header field, from the token endpoint."""
        form = {"grant_type": "password", "username": name, "password": password or self.passwords[name]}
        answer = self.ask("POST", f"{self.prefix}/auth/token", data=form)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def keyed(self, name: str) -> dict[str, str]:
        """A consumer's header field."""
        return {"X-API-Key": self.keys[name]}

    def newcomer(self, name: str) -> dict[str, str]:
        """Somebody who registers now and signs in, with the default roles."""
        fields = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        answer = self.ask("POST", "/api/auth/register", json=fields)
        assert answer.status_code == 201, answer.text
        return self.signed_in(name, PASSWORD)

    @cached_property
    def staff(self) -> dict[str, str]:
        """The header field of the administrator; it is good for as long as a token is."""
        return self.signed_in("admin", self.admin_password)

    def run_tried(self, folder: Path) -> str:
        """Runs the printed lines one after another, in one shell; what they answered, none of it an error."""
        script = "\n".join(line.replace("curl -s", "curl -sf") for line in self.tried)
        done = subprocess.run(["bash", "-e", "-c", script], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, (script, done.stdout, done.stderr)
        return done.stdout

    @property
    def admin_password(self) -> str:
        found = re.search(r"name admin, password (\S+)", self.text)
        assert found
        return found[1]

    def manage(self, *arguments: str, **env: str) -> str:
        """`manage.py …` beside it, as its operator would; what it printed."""
        environ = _environ(self.var_dir, **env)
        code, out, err = warm.run([*arguments], env=environ, cwd=ROOT, timeout_s=PATIENCE_S)
        assert code == 0, err
        return out

    def end(self) -> int:
        """Ctrl-C; the exit status, once everything that it started has ended."""
        self.http.close()
        for service in self.services.values():
            with suppress(ProcessLookupError):
                os.kill(service.pid, signal.SIGCONT)
            service.end()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(PATIENCE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reading.join(PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.returncode


def start(name: str, folder: Path, **env: str) -> System:
    """`make example SYSTEM=name` in an installation of its own."""
    var_dir = folder / "var"
    process = subprocess.Popen(
        [sys.executable, MANAGE, "quickstart", "--example", name],
        env=_environ(var_dir, **env),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        return System(name, process, var_dir, env.get("API_PREFIX") or env.get("API_V1_PREFIX") or "/api/v1")
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        raise


@contextmanager
def running(name: str, folder: Path, **env: str) -> Iterator[System]:
    """A start of a test's own, with more in its environment. No traceback, ever."""
    system = start(name, folder, **env)
    try:
        yield system
    finally:
        system.end()
    assert "Traceback" not in system.text, system.text


def _environ(var_dir: Path, **env: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OWN}
    return {**kept, "VAR_DIR": str(var_dir), "GATEWAY_PORT": "0", **env}


def until(is_so: Callable[[], object], within_s: float = PATIENCE_S, *, every_s: float = 0.02) -> None:
    """Looks until it is, where another process changes it and nothing tells."""
    deadline_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline_s, "it did not come to be"
        time.sleep(every_s)


def _worked_s(pid: int) -> float:
    """The processor time of a process, of its children, and of those that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime
    return ticks / os.sysconf("SC_CLK_TCK") + sum(map(_worked_s, children(pid)))
