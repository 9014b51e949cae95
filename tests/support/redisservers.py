"""I: Several Redis servers of a test's own: a Cluster, and a master with its replica and a Sentinel."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gateway_project.server.ports import keep_port
from tests.support.redisserver import RedisServer

SLOTS = 16384
PATIENCE_S = 60.0
NEVER_MS = "600000"
"""Nobody is thought to be gone because it had no turn of the processor."""


def wait_until(is_so: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
    """Looks until it is, where another process changes it and nothing tells."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)


class Replicated(NamedTuple):
    """A Sentinel that watches both."""

    master: RedisServer
    replica: RedisServer
    sentinel: RedisServer

    def lose_master(self) -> None:
        """It dies, and the Sentinel, which had all patience with it, takes 300 ms to say so."""
        self.sentinel.ask("SENTINEL", "SET", "main", "down-after-milliseconds", "300")
        self.master.stop()

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.sentinel.port}/main/0"

    def is_complete(self) -> bool:
        """Whether the replica has what the master has, and the Sentinel knows of it."""
        return b"master_link_status:up" in self.replica.ask("INFO", "replication") and (
            b"slaves=1" in self.sentinel.ask("INFO", "sentinel")
        )

    def has_failed_over(self) -> bool:
        """Whether the replica is the master now; in that moment it cuts off who asks."""
        try:
            return b"role:master" in self.replica.ask("INFO", "replication")
        except OSError:
            return False


class Cluster(NamedTuple):
    """Two nodes, each with half of the slots."""

    first: RedisServer
    second: RedisServer

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.first.port},127.0.0.1:{self.second.port}"

    def is_complete(self) -> bool:
        """Whether both nodes know of each other."""
        return all(b"cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in self)


@contextmanager
def cluster_in(folder: Path) -> Iterator[Cluster]:
    """Soon complete."""
    nodes, ports = [], []
    patient = ("--cluster-node-timeout", NEVER_MS)
    for number in range(2):
        own = folder / f"node{number}"
        own.mkdir()
        ports.append(str(keep_port()))
        nodes.append(RedisServer(own, "--cluster-enabled", "yes", "--cluster-port", ports[-1], *patient))
    with nodes[0] as first, nodes[1] as second:
        first.ask("CLUSTER", "ADDSLOTSRANGE", "0", str(SLOTS // 2 - 1))
        second.ask("CLUSTER", "ADDSLOTSRANGE", str(SLOTS // 2), str(SLOTS - 1))
        first.ask("CLUSTER", "MEET", "127.0.0.1", str(second.port), ports[1])
        yield Cluster(first, second)


@contextmanager
def replicated_in(folder: Path) -> Iterator[Replicated]:
    """Soon complete; a master that `lose_master` stops is replaced."""
    folders = [folder / name for name in ("master", "replica", "sentinel")]
    for each in folders:
        each.mkdir()
    with RedisServer(folders[0], "--repl-diskless-sync-delay", "0") as master:
        watch = (
            f"sentinel monitor main 127.0.0.1 {master.port} 1",
            f"sentinel down-after-milliseconds main {NEVER_MS}",
            "sentinel failover-timeout main 2000",
        )
        replica = RedisServer(folders[1], "--replicaof", "127.0.0.1", str(master.port))
        sentinel = RedisServer(folders[2], "--sentinel", config="\n".join(watch))
        with replica, sentinel:
            yield Replicated(master, replica, sentinel)
