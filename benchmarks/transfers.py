"""I: A client that moves a body of any size through a proxy over one plain socket, at full speed."""

import socket
import time

from benchmarks.errors import BenchmarkError
from benchmarks.processes import HOST

_BLOCK_BYTES = 1 << 20
_TIMEOUT_S = 60.0


def upload(port: int, *, size_bytes: int, pause_s: float = 0.0) -> None:
    """POST to `/sink`, which holds still for pause_s first; raises unless every byte arrived there."""
    block = memoryview(b"u" * _BLOCK_BYTES)
    with socket.create_connection((HOST, port), timeout=_TIMEOUT_S) as connection:
        connection.sendall(_head("POST", f"/sink?pause={pause_s}", length=size_bytes))
        left = size_bytes
        while left:
            left -= connection.send(block[: min(left, _BLOCK_BYTES)])
        head, rest = _read_head(connection)
        answer = rest
        while more := connection.recv(65536):
            answer += more
    if b" 200 " not in head.split(b"\r\n", 1)[0] or b"%d" % size_bytes not in answer:
        raise BenchmarkError(f"the upload did not arrive whole: {head[:80]!r} {answer[:80]!r}")


def download(port: int, *, size_bytes: int, pause_s: float = 0.0) -> None:
    """GET of `/source`; reads nothing for pause_s after the head; raises unless every byte came."""
    with socket.create_connection((HOST, port), timeout=_TIMEOUT_S) as connection:
        connection.sendall(_head("GET", f"/source?bytes={size_bytes}"))
        head, rest = _read_head(connection)
        time.sleep(pause_s)
        received = len(rest)
        buffer = bytearray(_BLOCK_BYTES)
        while count := connection.recv_into(buffer):
            received += count
    if b" 200 " not in head.split(b"\r\n", 1)[0] or received < size_bytes:
        raise BenchmarkError(f"the download came to {received} of {size_bytes} bytes: {head[:80]!r}")


def _head(method: str, target: str, *, length: int | None = None) -> bytes:
    body = "" if length is None else f"content-length: {length}\r\n"
    return f"{method} {target} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{body}\r\n".encode()


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise BenchmarkError(f"the connection ended before an answer: {data[:80]!r}")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest
