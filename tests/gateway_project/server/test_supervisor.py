"""What the supervisor makes of signals. As processes: tests/functional/test_serve_processes.py."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from gateway_project.server import supervisor
from gateway_project.server.crew import Crew, Patience
from gateway_project.server.sockets import bind


def test_port_in_use_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    """Before any worker starts."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status = supervisor.serve(host="127.0.0.1", port=port, workers=1, role="all")

    assert status == 1
    assert f"torana: port {port} on 127.0.0.1 is in use" in capsys.readouterr().err


def test_stays_light() -> None:
    """The parent process needs neither Django nor an event loop nor the server."""
    code = "import sys, gateway_project.server.supervisor as s; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not {"django", "asyncio", "uvicorn", "uvloop", "httptools"} & set(loaded.split())


class Silent:
    """A worker that never says anything and ends when it is told to."""

    pid = 1
    ready_s: float | None = None
    killed_after_s: float | None = None

    def __init__(self, now_s: float) -> None:
        self.started_s = now_s
        self.ready_fd, self._write = os.pipe()
        self._ended = False

    def exit_status(self) -> int | None:
        return 0 if self._ended else None

    def stop(self, _deadline_s: float = 0.0) -> None:
        self._ended = True

    kill = retire = stop

    def close(self) -> None:
        os.close(self.ready_fd)
        os.close(self._write)

    def take_ready(self, now_s: float) -> bool:
        self.ready_s = now_s
        return True

    def tell_ready(self) -> None:
        os.write(self._write, b"ready\n")


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([signal.SIGTERM], ["stopping"]),
        ([signal.SIGINT], ["stopping"]),
        ([signal.SIGHUP, signal.SIGTERM], ["replacing every worker", "stopping"]),
    ],
)
def test_signals(numbers: list[int], said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop, or reload and then stop; the URL is announced once all are ready."""
    heard: list[str] = []
    announced: list[tuple[str, ...]] = []
    monkeypatch.setattr(supervisor, "_say", heard.append)
    sockets = bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    read, write = socket.socketpair()
    workers: list[Silent] = []

    def start(now_s: float) -> Silent:
        workers.append(Silent(now_s))
        workers[-1].tell_ready()
        return workers[-1]

    def on_ready(urls: tuple[str, ...]) -> None:
        announced.append(urls)
        write.send(bytes(numbers))

    crew = Crew(start=start, size=1, patience=Patience(), say=heard.append)  # type: ignore[arg-type]
    with read, write:
        status = supervisor.Supervisor(crew, sockets, read, on_ready=on_ready).run()

    assert status == 0
    assert announced == [(f"http://127.0.0.1:{port}",)]
    assert heard == [f"serving on http://127.0.0.1:{port} with 1 worker", *said]


def test_second_interrupt_is_status_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C twice."""
    monkeypatch.setattr(supervisor, "_say", lambda _message: None)
    read, write = socket.socketpair()

    class Stubborn(Silent):
        def stop(self, _deadline_s: float) -> None:
            write.send(bytes([signal.SIGINT]))

        def kill(self, _deadline_s: float = 0.0) -> None:
            self._ended = True

    crew = Crew(start=Stubborn, size=1, patience=Patience(), say=str)  # type: ignore
    with read, write:
        write.send(bytes([signal.SIGINT]))
        status = supervisor.Supervisor(crew, [], read, on_ready=None).run()

    assert status == 130
