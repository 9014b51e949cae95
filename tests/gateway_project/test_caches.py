"""Django's cache: shared through Redis, and in the process while Redis is away."""

import socket
import time
import uuid
from pathlib import Path

import pytest

from gateway_project.caches import SteadyCache, django_caches
from gateway_project.connections import redis_at
from tests.support.redisservers import Replicated, cluster_in, replicated_in, wait_until
from tests.support.stopwatch import Stopwatch


def cache_at(url: str, prefix: str) -> SteadyCache:
    params = django_caches(redis_at(url), service=prefix)["default"]
    return SteadyCache(params.pop("LOCATION"), params)


@pytest.fixture
def prefix() -> str:
    return uuid.uuid4().hex


def test_two_processes_share_it(redis_url: str, prefix: str) -> None:
    """What one has added is there for the other, and cannot be added twice."""
    one, other = cache_at(redis_url, prefix), cache_at(redis_url, prefix)

    assert one.add("code", "used", timeout=30)
    assert not other.add("code", "used", timeout=30)
    assert other.get("code") == "used"
    assert other.touch("code", 10)
    assert other.delete("code")
    assert one.get("code", "gone") == "gone"


def test_absent_redis_leaves_the_memory_of_the_process(prefix: str, stopwatch: Stopwatch) -> None:
    """Everything works, and only the first call waits."""
    with socket.socket() as silent:  # it takes connections and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        cache = cache_at(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", prefix)
        began = time.time()

        assert cache.add("code", "used")
        assert not cache.add("code", "used")
        cache.set("other", 1)
        assert (cache.get("other"), cache.get("none", 2)) == (1, 2)
        assert stopwatch.since(began) < 2.0
        cache.clear()
        assert cache.get("other") is None


@pytest.mark.parametrize("kind", ["cluster", "sentinel"])
def test_several_servers_share_it(kind: str, prefix: str, tmp_path: Path) -> None:
    """A Cluster by its nodes; of a master and its replica the master only, and the next one when it dies."""
    with cluster_in(tmp_path) if kind == "cluster" else replicated_in(tmp_path) as servers:
        wait_until(servers.is_complete)
        one, other = cache_at(servers.url, prefix), cache_at(servers.url, prefix)
        for key in "abcd":
            assert one.add(key, "used", timeout=30)
            assert not other.add(key, "used", timeout=30)
            assert other.get(key) == "used"
            assert other.touch(key, 10)
        assert other.delete("a")
        assert one.get("a", "gone") == "gone"
        one.close()
        assert one._away_until == other._away_until == 0.0
        if isinstance(servers, Replicated):
            servers.lose_master()
            assert one.get("b") is None, "it is this process that answers"
            wait_until(servers.has_failed_over)
            wait_until(lambda: one.get("b") == "used")


@pytest.mark.parametrize("url", ["none"])
def test_one_process_needs_no_server(url: str) -> None:
    """REDIS_URL=none keeps it in memory."""
    assert django_caches(redis_at(url), service="x")["default"]["BACKEND"].endswith("LocMemCache")
