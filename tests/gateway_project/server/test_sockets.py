"""Binding, and saying why it did not work."""

import socket

import pytest

from gateway_project.server.sockets import CannotListen, bind, urls


def close(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def test_free_port() -> None:
    """Port 0 takes one, and the URL tells which."""
    sockets = bind("127.0.0.1", 0)
    [url] = urls(sockets)
    port = sockets[0].getsockname()[1]
    close(sockets)

    assert url == f"http://127.0.0.1:{port}"


def test_every_address_of_a_name() -> None:
    """localhost listens on the same port for IPv4 and, where it exists, IPv6."""
    sockets = bind("localhost", 0)
    ports = {sock.getsockname()[1] for sock in sockets}
    families = [sock.family for sock in sockets]
    close(sockets)

    assert len(ports) == 1
    assert socket.AF_INET in families
    assert len(families) == len(set(families))


def test_ipv6() -> None:
    """An IPv6 address stands in brackets."""
    sockets = bind("::1", 0)
    [url] = urls(sockets)
    close(sockets)

    assert url.startswith("http://[::1]:")


def test_both_families_on_one_socket() -> None:
    """The unspecified IPv6 address takes IPv4 as well."""
    sockets = bind("::", 0)
    with socket.create_connection(("127.0.0.1", sockets[0].getsockname()[1]), timeout=5) as connection:
        connected = connection.getpeername()
    close(sockets)

    assert connected[0] == "127.0.0.1"


def test_port_in_use() -> None:
    """Names the port and the way out; nothing stays bound."""
    sockets = bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    with pytest.raises(CannotListen, match=f"port {port} on 127.0.0.1 is in use by another process"):
        bind("127.0.0.1", port)
    close(sockets)


def test_address_of_another_machine() -> None:
    """The system's reason, in its words."""
    with pytest.raises(CannotListen, match=r"cannot listen on 192\.0\.2\.1 port 0: Cannot assign"):
        bind("192.0.2.1", 0)


def test_port_can_be_taken_again_at_once() -> None:
    """A restart does not wait for old connections to be forgotten."""
    sockets = bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        sockets[0].setblocking(True)
        accepted, _ = sockets[0].accept()
        accepted.close()
    close(sockets)

    again = bind("127.0.0.1", port)
    assert [each.getsockname()[1] for each in again] == [port]
    close(again)
