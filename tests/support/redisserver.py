"""I: A Redis server of a test's own, which it may stop, start again, empty, or give options."""

import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from gateway_project.embedded import _binary, die_with_parent
from gateway_project.server.ports import keep_port

START_S = 60.0
"""Patience with a server whose process runs: it only has to get a turn."""


class RedisServer:
    """Listens on a port of 127.0.0.1, the same whenever it is started again, and keeps nothing."""

    def __init__(self, folder: Path, *options: str, config: str = "") -> None:
        self.port = keep_port()
        self._folder = folder
        self._options = options
        self._config = folder / f"{self.port}.conf"
        self._config.write_text(config)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """0 while it is stopped."""
        return self._process.pid if self._process is not None else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begins empty; returns when it answers."""
        given = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen(
            [_binary(), self._config, *given, *self._options],
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent(),
        )
        until = time.monotonic() + START_S
        while not self._answers():
            assert self._process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, *command: str) -> bytes:
        """The raw answer to a command."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=START_S) as connection:
            words = [word.encode() for word in command]
            lines = [b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)]
            connection.sendall(b"".join(lines))
            return connection.recv(65536)

    def _answers(self) -> bool:
        try:
            return self.ask("PING").startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False
