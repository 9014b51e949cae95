"""D: Where this installation counts against quotas, for whoever asks what is left of them, in whichever process.

With a Redis that is the place, for commands as well; without one it is the memory of the worker that is asked.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from django.conf import settings

from authproxy.remaining import Peeked, left
from gateway_project.config import GatewayConfig
from gateway_project.embedded import socket_path
from resilience.stores.address import Address, address_of
from resilience.stores.base import Charge
from resilience.stores.connection import Away
from resilience.stores.memory import MemoryStore
from resilience.stores.peeking import peek as peek_at
from routing import quotasleft

ALONE: Final = "without a Redis each worker counts for itself, and only it can tell"
AWAY: Final = "Redis does not answer"
NOT_RUNNING: Final = "no gateway runs with this VAR_DIR, whose Valkey would know"
THIS_WORKER: Final = "this worker alone"
_own: list[MemoryStore] = []


def install() -> None:
    """Whoever explains a request asks here."""
    quotasleft.bind(partial(left, peek=peek))


def bind(store: MemoryStore) -> None:
    """This process counts by itself, in this store."""
    _own[:] = [store]


def unbind(store: object) -> None:
    """It does so no more."""
    if store in _own:
        _own.clear()


def peek(charges: Sequence[Charge]) -> Peeked | str:
    """What is left, or why it cannot be told; nothing is consumed."""
    if _own:
        return Peeked(_own[0].peek(charges), THIS_WORKER)
    config: GatewayConfig = settings.CONFIG
    if config.redis.mode == "process":
        return ALONE
    try:
        found = peek_at(store_address(config), charges, prefix=prefix_of(config.service_name))
    except (OSError, ValueError):
        return AWAY
    if isinstance(found, Away):
        return NOT_RUNNING if config.redis.mode == "embedded" else AWAY
    return Peeked(found)


def prefix_of(service_name: str) -> str:
    """Of the keys of buckets: installations that share a Redis are told apart by it."""
    return f"{{{service_name}:limits}}"


def store_address(config: GatewayConfig) -> Address:
    """Of the Redis that all workers share."""
    if config.redis.mode == "embedded":
        return address_of(f"unix://{socket_path(config.var_dir)}")
    return address_of(str(config.redis.url))
