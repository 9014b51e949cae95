"""I: How many decisions of quotas one Redis makes, and what a bucket takes there, with nothing else to do."""

import contextlib
import os
import select
import socket
import time
from collections.abc import Iterator
from typing import Final

from benchmarks import proc
from benchmarks.errors import BenchmarkError
from benchmarks.fleetfigures import RedisMaximum
from benchmarks.fleetstores import SharedRedis
from benchmarks.processes import HOST
from resilience.limiter import Meters
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge
from resilience.stores.batch import Batch
from resilience.stores.redis import SCRIPT

CONNECTIONS: Final = 100
"""One for each node, and on each one call at a time: so do gateways ask."""
TOGETHER: Final = (1, 16)
_BUCKETS: Final = 50_000
_CALLERS: Final = 10_000
_CHUNK: Final = 65536
_LONGEST_WAIT_S: Final = 5.0


def maximum(redis: SharedRedis, *, seconds: float) -> RedisMaximum:
    """Redis should have a core of its own for as long."""
    redis.client.script_load(SCRIPT.text)
    bucket_bytes = _bucket_bytes(redis)
    spent = [_spent(redis, together, seconds) for together in TOGETHER]
    (single_us, single_s, busy), (many_us, many_s, _) = spent
    each_us = (many_us - single_us) / (TOGETHER[1] - TOGETHER[0])
    return RedisMaximum(
        call_us=single_us - each_us, decision_us=each_us, calls_s=single_s, decisions_s=many_s * TOGETHER[1],
        busy=busy, bucket_bytes=bucket_bytes,
    )  # fmt: skip


def _bucket_bytes(redis: SharedRedis) -> float:
    """A bucket that is asked once an hour's limit is kept for minutes: none is forgotten meanwhile."""
    before = redis.use().memory_bytes
    calls = _calls(QuotaPolicy("kept", 10, 3600.0), together=250, callers=_BUCKETS)
    with _connected(redis.port, 1) as (sock,):
        for call, lines in calls:
            sock.sendall(call)
            _await(sock, lines)
    return (redis.use().memory_bytes - before) / _BUCKETS


def _spent(redis: SharedRedis, together: int, seconds: float) -> tuple[float, float, float]:
    """CPU time of Redis for each call in µs, calls a second, and the share of a core that it had."""
    calls = _calls(QuotaPolicy("load", 1_000_000, 1.0), together=together, callers=_CALLERS)
    before, began = proc.cpu_us(redis.child.pid), time.monotonic()
    done = _ask(redis.port, calls, seconds)
    took_s, used_us = time.monotonic() - began, proc.cpu_us(redis.child.pid) - before
    return used_us / done, done / took_s, used_us / took_s / 1e6


def _ask(port: int, calls: list[tuple[bytes, int]], seconds: float) -> int:
    """All connections at once, each with one call at a time; how many were answered."""
    done, at, ends = 0, 0, time.monotonic() + seconds
    with _connected(port, CONNECTIONS) as sockets, contextlib.closing(select.epoll()) as ready:
        left: dict[int, int] = {}
        for sock in sockets:
            ready.register(sock, select.EPOLLIN)
            call, left[sock.fileno()] = calls[at]
            at += 1
            sock.sendall(call)
        while time.monotonic() < ends:
            for fd, _ in ready.poll(_LONGEST_WAIT_S):
                left[fd] -= _lines(os.read(fd, _CHUNK))
                if left[fd] <= 0:
                    call, left[fd] = calls[at % len(calls)]
                    at, done = at + 1, done + 1
                    os.write(fd, call)
    return done


def _await(sock: socket.socket, lines: int) -> None:
    while lines > 0:
        lines -= _lines(sock.recv(_CHUNK))


def _lines(data: bytes) -> int:
    if not data or (data[:1] == b"-" and data[1:2].isalpha()):
        raise BenchmarkError(f"Redis refused a call: {data[:200]!r}")
    return data.count(b"\n")


def _calls(policy: QuotaPolicy, *, together: int, callers: int) -> list[tuple[bytes, int]]:
    """Calls as a gateway makes them, and how many lines each is answered with."""
    table = Meters()
    found = []
    for first in range(0, callers, together):
        batch = Batch(table)
        for caller in range(first, first + together):
            batch.add([Charge(policy, f"header:x-caller:caller-{caller:07d}")])
        keys = list(map(str.encode, batch.keys()))
        words = [b"EVALSHA", SCRIPT.digest.encode(), b"%d" % len(keys), *keys, *batch.arguments()]
        text = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        found.append((b"*%d\r\n%s" % (len(words), text), 1 + 3 * together))
    return found


@contextlib.contextmanager
def _connected(port: int, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((HOST, port), _LONGEST_WAIT_S)) for _ in range(count)
        ]
