"""Threads reach one server, a Cluster and what Sentinel names; what is published is heard at each."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, time

import pytest
import redis
from redis.client import PubSub

from gateway_project.server.ports import keep_port
from resilience.stores.address import Address, address_of
from resilience.stores.blocking import blocking_client_of, publish, subscribed
from tests.support.redisserver import RedisServer
from tests.support.redisservers import Cluster, Replicated, cluster_in, replicated_in, wait_until
from tests.support.stopwatch import Stopwatch

PATIENCE_S = 5.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with cluster_in(tmp_path) as servers:
        wait_until(servers.is_complete)
        yield servers


@pytest.fixture
def replicated(tmp_path: Path) -> Iterator[Replicated]:
    with replicated_in(tmp_path) as servers:
        wait_until(servers.is_complete)
        yield servers


def heard(ear: PubSub) -> bytes | None:
    """The next message."""
    until = monotonic() + PATIENCE_S
    while monotonic() < until:
        if message := ear.get_message(ignore_subscribe_messages=True, timeout=PATIENCE_S):
            found: bytes = message["data"]
            return found
    return None


def said(address: Address, ear: PubSub, word: str) -> bytes | None:
    assert ear.get_message(timeout=PATIENCE_S)  # the server has taken the subscription
    publish(address, "news", word, timeout_s=1.0)
    return heard(ear)


def test_one_server(tmp_path: Path) -> None:
    """With a password; a wrong one is told."""
    with RedisServer(tmp_path, "--requirepass", "secret") as server:
        address = address_of(f"redis://:secret@127.0.0.1:{server.port}/0")
        with subscribed(address, "news", timeout_s=1.0) as ear:
            assert said(address, ear, "a") == b"a"
        client = blocking_client_of(address, timeout_s=1.0)
        assert client.set("a", "1")
        client.close()
        with pytest.raises(redis.RedisError):
            publish(address_of(server.url), "news", "b", timeout_s=1.0)


def test_cluster(cluster: Cluster) -> None:
    """Each node hears what any was told; one that is away is passed over, and commands find their node."""
    address = address_of(cluster.url)
    for attempt in range(3):
        with subscribed(address, "news", timeout_s=1.0, attempt=attempt) as ear:
            assert said(address, ear, f"{attempt}") == b"%d" % attempt
    client = blocking_client_of(address, timeout_s=1.0)
    for key in "abcd":
        assert client.set(key, key)
        assert client.get(key) == key.encode()
    client.close()
    assert {node.ask("DBSIZE") for node in cluster} == {b":2\r\n"}
    missing = address_of(f"redis+cluster://127.0.0.1:{keep_port()},127.0.0.1:{cluster.second.port}")
    with subscribed(missing, "news", timeout_s=1.0, attempt=1) as ear:
        assert said(missing, ear, "late") == b"late"
    with pytest.raises(redis.RedisError), subscribed(missing, "news", timeout_s=1.0, attempt=2):
        pass


def test_what_sentinel_names(replicated: Replicated) -> None:
    """The master, and after it has died the next one, for a client that was there before, too."""
    address = address_of(replicated.url)
    client = blocking_client_of(address, timeout_s=1.0)
    assert client.set("a", "1")
    with subscribed(address, "news", timeout_s=1.0) as ear:
        assert said(address, ear, "a") == b"a"
    replicated.lose_master()
    with pytest.raises(redis.RedisError):
        publish(address, "news", "b", timeout_s=0.2)
    wait_until(replicated.has_failed_over)

    def is_told() -> bool:
        try:
            publish(address, "news", "c", timeout_s=0.2)
        except redis.RedisError:
            return False
        return True

    wait_until(is_told, within_s=30.0)
    with subscribed(address, "news", timeout_s=1.0) as ear:
        assert said(address, ear, "d") == b"d"
    assert client.set("a", "2")
    client.close()


def test_nobody_there(stopwatch: Stopwatch) -> None:
    """Is told soon."""
    began = time()
    url = f"127.0.0.1:{keep_port()},127.0.0.1:{keep_port()}"
    for address in map(address_of, (f"redis+cluster://{url}", f"redis+sentinel://{url}/main")):
        with pytest.raises(redis.RedisError):
            publish(address, "news", "a", timeout_s=0.2)
    assert stopwatch.since(began) < 1.0
