"""I: Ports of this machine that are kept for somebody who will listen there soon."""

import atexit
import socket
from typing import Final

HOST: Final = "127.0.0.1"
_kept: Final[list[socket.socket]] = []


@atexit.register
def _let_go() -> None:
    for sock in _kept:
        sock.close()


def keep_port(wanted: int = 0) -> int:
    """That port of 127.0.0.1 or, where it is taken or 0, another; nobody else is given it while this process lives.

    Who is told the number may listen there, with SO_REUSEADDR as servers do: the socket that stays bound does not
    listen itself, but keeps the system from choosing its port for others and for outgoing connections.

    Raises OSError where no port is free.
    """
    for port in dict.fromkeys((wanted, 0)):
        sock = socket.socket()
        try:
            sock.bind((HOST, port))  # without SO_REUSEADDR: not one that somebody else keeps
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        except OSError:
            sock.close()
            continue
        _kept.append(sock)
        return int(sock.getsockname()[1])
    raise OSError(f"no port of {HOST} is free")
