"""D: Django's cache: in Redis, or in the process while Redis is away, so that nobody fails to sign in for it.

It holds which one-time codes were used, and what expires by itself. Sessions are in the database.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from gateway_project.connections import Redis
from resilience.stores.address import address_of
from resilience.stores.blocking import blocking_client_of

STORE_TIMEOUT_S: Final = 0.25
PAUSE_S: Final = 1.0
"""After a failure the store is left alone for so long, so that not every call waits for it."""
_LOCAL: Final = "django.core.cache.backends.locmem.LocMemCache"
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


def django_caches(redis: Redis, *, service: str) -> dict[str, dict[str, Any]]:
    """Django's CACHES. Without a server (a command, or REDIS_URL=none) there is one process, and its memory does."""
    if redis.mode != "server":
        return {"default": {"BACKEND": _LOCAL}}
    options: dict[str, Any] = {
        "SOCKET_CONNECT_TIMEOUT": STORE_TIMEOUT_S,
        "SOCKET_TIMEOUT": STORE_TIMEOUT_S,
        "SERIALIZER": "django_redis.serializers.json.JSONSerializer",  # what is read from there is data, never code
    }
    if address_of(str(redis.url)).kind != "single":
        options["CONNECTION_FACTORY"] = f"{__name__}.SeveralServers"
    return {
        "default": {
            "BACKEND": f"{__name__}.SteadyCache",
            "LOCATION": str(redis.url),
            "KEY_PREFIX": f"{service}:cache",
            "OPTIONS": options,
        }
    }


class SeveralServers:
    """django-redis' way to a Cluster, or to the master that Sentinel names: never to a replica, which lags behind."""

    _clients: ClassVar[dict[str, Any]] = {}

    def __init__(self, options: dict[str, Any]) -> None:
        """Each request makes a cache of its own, so that connections are kept here."""

    def connect(self, url: str) -> Any:
        """A client that all threads share. Raises RedisError where a Cluster does not answer."""
        client = self._clients.get(url)
        if client is None:
            client = blocking_client_of(address_of(url), timeout_s=STORE_TIMEOUT_S)
            client = self._clients.setdefault(url, client)
        return client

    def disconnect(self, connection: Any) -> None:
        """Others use it."""


class SteadyCache(BaseCache):
    """Redis, or the memory of this process while Redis does not answer. Others see the latter's keys not at all."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._shared: Any = RedisCache([server], params)  # one URL: it would cut a text at commas
        self._local = LocMemCache(f"steady {server}", {**params, "OPTIONS": {}})
        self._away_until = 0.0

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return self._either(lambda cache: bool(cache.add(key, value, timeout, version)))

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._either(lambda cache: cache.get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        self._either(lambda cache: cache.set(key, value, timeout=timeout, version=version))

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return self._either(lambda cache: bool(cache.touch(key, timeout, version)))

    def delete(self, key: Any, version: Any = None) -> bool:
        return self._either(lambda cache: bool(cache.delete(key, version)))

    def clear(self) -> None:
        self._either(lambda cache: cache.clear())

    def close(self, **kwargs: Any) -> None:
        self._shared.close(**kwargs)

    def _either(self, call: Callable[[Any], _T]) -> _T:
        if time.monotonic() < self._away_until:
            return call(self._local)
        try:
            return call(self._shared)
        except (ConnectionInterrupted, RedisError, OSError) as error:
            _log.warning("Redis does not answer (%s); the cache is in this process.", type(error).__name__)
            self._away_until = time.monotonic() + PAUSE_S
            return call(self._local)
