"""I: Redis for threads that may wait a little: redis-py's own clients, publishing, and subscriptions.

Nothing is repeated by itself. What is published at any node of a Cluster is heard at each of them, so one that answers
is enough for both.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from resilience.stores.address import Address, Node
from resilience.stores.clients import options_of, sentinel_options_of

_USUAL: Final[dict[str, Any]] = {"protocol": 2, "retry": Retry(NoBackoff(), 0)}


def blocking_client_of(address: Address, *, timeout_s: float) -> "Redis | RedisCluster":
    """Takes every command on one key. It connects when it is first used, and keeps its connections."""
    limits = {"socket_connect_timeout": timeout_s, "socket_timeout": timeout_s}
    if address.kind == "cluster":
        node: Any = ClusterNode  # it has no types
        nodes = [node(host, port) for host, port in address.nodes]
        return RedisCluster(startup_nodes=nodes, **{**_USUAL, **options_of(address), **limits})
    if address.kind == "sentinel":
        return _master(_sentinel(address, timeout_s), address, limits)
    return Redis.from_url(address.url, **{**_USUAL, **limits})


def publish(address: Address, channel: str, news: str, *, timeout_s: float) -> None:
    """Says it once. Raises RedisError when no server took it."""
    limits = {"socket_connect_timeout": timeout_s, "socket_timeout": timeout_s}
    nodes = address.nodes if address.kind == "cluster" else (None,)
    for number, node in enumerate(nodes, start=1):
        try:
            with _opened(address, node, limits, timeout_s) as client:
                client.publish(channel, news)
            return
        except RedisError:
            if number == len(nodes):
                raise


@contextmanager
def subscribed(address: Address, *channels: str, timeout_s: float, attempt: int = 0) -> Iterator[PubSub]:
    """Hears the channels. `timeout_s` is for connecting; each `attempt` asks the next node of a Cluster."""
    node = address.nodes[attempt % len(address.nodes)] if address.kind == "cluster" else None
    limits = {"socket_connect_timeout": timeout_s}
    with _opened(address, node, limits, timeout_s) as client:
        ear: PubSub
        with client.pubsub() as ear:  # type: ignore[no-untyped-call]
            ear.subscribe(*channels)
            yield ear


@contextmanager
def _opened(address: Address, node: Node | None, limits: dict[str, Any], timeout_s: float) -> Iterator[Redis]:
    """A client of one server, for a moment."""
    usual = {**_USUAL, **limits}
    with ExitStack() as stack:
        if node is not None:
            client = Redis(host=node[0], port=node[1], **{**options_of(address), **usual})
        elif address.kind == "sentinel":
            sentinel = _sentinel(address, timeout_s)
            for each in sentinel.sentinels:
                stack.callback(each.close)
            client = _master(sentinel, address, limits)
        else:
            client = Redis.from_url(address.url, **usual)
        stack.callback(client.close)
        yield client


def _sentinel(address: Address, timeout_s: float) -> Any:
    make: Any = Sentinel  # it has no types
    limits = {"socket_connect_timeout": timeout_s, "socket_timeout": timeout_s}
    return make(address.nodes, sentinel_kwargs={**_USUAL, **sentinel_options_of(address), **limits})


def _master(sentinel: Any, address: Address, limits: dict[str, Any]) -> Redis:
    found: Redis = sentinel.master_for(
        address.service, **{**_USUAL, **options_of(address), **limits, "db": address.db}
    )
    return found
