"""What the kernel knows about the other side."""

import asyncio
import socket
from typing import Any

import pytest

from gateway_project.server.departure import has_unread_input, peer_state, reset
from tests.support.transports import FakeTransport


class Around:
    """A transport as far as these functions look."""

    def __init__(self, sock: socket.socket | None) -> None:
        self._sock = sock

    def get_extra_info(self, _name: str) -> Any:
        return self._sock


def pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        return ours, theirs


async def test_half_closed_peer_is_there() -> None:
    """It stays so when something is sent."""
    ours, theirs = pair()
    with ours, theirs:
        theirs.shutdown(socket.SHUT_WR)
        ours.send(b"x")
        await asyncio.sleep(0.02)
        state = peer_state(Around(ours))  # type: ignore[arg-type]

    assert not state.gone
    assert 0 <= state.silent_s < 5


async def test_closed_peer_is_gone_once_something_was_sent() -> None:
    """Before that, nobody can know."""
    ours, theirs = pair()
    with ours:
        theirs.close()
        before = peer_state(Around(ours))  # type: ignore[arg-type]
        ours.send(b"x")
        await asyncio.sleep(0.02)
        after = peer_state(Around(ours))  # type: ignore[arg-type]

    assert (before.gone, after.gone) == (False, True)


def test_other_transports_are_given_up() -> None:
    """Without TCP there is no way to tell."""
    left, right = socket.socketpair()
    with left, right:
        assert peer_state(Around(left)).gone  # type: ignore[arg-type]
    assert peer_state(FakeTransport()).gone


def test_reset() -> None:
    """The other side learns that it was not a plain end."""
    ours, theirs = pair()
    with theirs:
        reset(Around(ours))  # type: ignore[arg-type]
        ours.close()
        with pytest.raises(ConnectionResetError):
            theirs.recv(1)
    reset(FakeTransport())


def test_unread_input() -> None:
    """Bytes that wait are seen, and stay."""
    ours, theirs = pair()
    with ours, theirs:
        before = has_unread_input(Around(ours))  # type: ignore[arg-type]
        theirs.send(b"x")
        after = has_unread_input(Around(ours))  # type: ignore[arg-type]
        ours.setblocking(True)
        received = ours.recv(1)

    assert (before, after, received) == (False, True, b"x")
    assert not has_unread_input(FakeTransport())
