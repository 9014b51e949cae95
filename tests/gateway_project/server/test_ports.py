"""Ports that nobody else gets meanwhile."""

import socket

import pytest

from gateway_project.server.ports import HOST, keep_port


def test_the_wanted_one_or_another() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert keep_port(port) not in (0, port)
    assert keep_port(port) == port
    assert keep_port(port) != port


def test_who_is_told_listens_there_again_and_again() -> None:
    """Nobody else is given it between two starts."""
    port = keep_port()
    for _ in range(2):
        with socket.create_server((HOST, port)):
            socket.create_connection((HOST, port)).close()
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((HOST, port))


def test_nobody_listens_meanwhile() -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, keep_port()))
