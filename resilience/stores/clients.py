"""I: redis-py's clients for one server, for what Sentinel names, and for a Cluster. None repeats a call by itself."""

from typing import Any, Final, Protocol
from urllib.parse import urlencode

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from resilience.stores.address import Address

MOST_CONNECTIONS: Final = 128


class Client(Protocol):
    """What the link needs of them."""

    async def execute_command(self, *args: Any) -> Any:
        """The answer; raises what redis-py raises."""

    async def aclose(self) -> None:
        """Closes its connections."""


def client_of(address: Address) -> Client:
    """It connects when it is first used. Time limits are the link's. Raises ValueError for options of no meaning."""
    if address.kind == "single":
        single: Client = Redis.from_url(address.url, **_USUAL)
        return single
    return _NamedBySentinel(address) if address.kind == "sentinel" else _of_cluster(address)


def options_of(address: Address) -> dict[str, Any]:
    """What the URL of several servers says of connections to them. Raises ValueError for options of no meaning."""
    options = {name: value for name, value in _parsed(address).items() if not name.startswith("sentinel_")}
    if address.tls:
        options["ssl"] = True
    return {**options, "username": address.username or None, "password": address.password or None}


def sentinel_options_of(address: Address) -> dict[str, Any]:
    """The same of connections to the Sentinels themselves."""
    options = _parsed(address)
    found = {name: options.get(f"sentinel_{name}") for name in ("username", "password")}
    if address.tls:
        found |= {name: value for name, value in options.items() if name.startswith("ssl")} | {"ssl": True}
    return found


def _parsed(address: Address) -> dict[str, Any]:
    options = dict(parse_url(f"redis://unused?{urlencode(address.options)}"))
    options.pop("host", None)
    return options


class _NamedBySentinel:
    """Whatever server Sentinel says is the master; asked again whenever it connects."""

    def __init__(self, address: Address) -> None:
        make: Any = Sentinel  # it has no types
        self._sentinel = make(address.nodes, sentinel_kwargs={**sentinel_options_of(address), **_USUAL})
        self._master = self._sentinel.master_for(
            address.service, **{**_USUAL, **options_of(address), "db": address.db}
        )

    async def execute_command(self, *args: Any) -> Any:
        return await self._master.execute_command(*args)

    async def aclose(self) -> None:
        await self._master.aclose()
        await self._sentinel.aclose()


def _of_cluster(address: Address) -> Client:
    nodes = [ClusterNode(host, port) for host, port in address.nodes]
    cluster: Client = RedisCluster(startup_nodes=nodes, **{**_USUAL, **options_of(address)})
    return cluster


_USUAL: Final[dict[str, Any]] = {
    "protocol": 2,
    "socket_timeout": None,
    "socket_connect_timeout": None,
    "retry": Retry(NoBackoff(), 0),
    "max_connections": MOST_CONNECTIONS,
}
