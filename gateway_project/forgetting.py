"""D: Lets the Redis that all workers share forget what it counted in one bucket, from whichever process.

Without a Redis there is nothing to tell: each worker follows the order that is in the database.
"""

from typing import Any, Final

from django.conf import settings
from redis.exceptions import RedisError

from authproxy import quotaresets
from gateway_project.config import GatewayConfig
from gateway_project.embedded import socket_path
from gateway_project.peeking import prefix_of, store_address
from resilience.stores.blocking import blocking_client_of

AWAY: Final = "Redis does not answer"
TIMEOUT_S: Final = 1.0


def install() -> None:
    """Whoever resets a count asks here."""
    quotaresets.bind(forget)


def forget(bucket: str) -> str:
    """Why it could not be; empty: it is forgotten, or nobody had counted."""
    config: GatewayConfig = settings.CONFIG
    if config.redis.mode == "process":
        return ""
    if config.redis.mode == "embedded" and not socket_path(config.var_dir).exists():
        return ""  # no gateway runs: the next one counts from what is recorded
    try:
        client: Any = blocking_client_of(store_address(config), timeout_s=TIMEOUT_S)
        try:
            client.delete(prefix_of(config.service_name) + bucket)
        finally:
            client.close()
    except (RedisError, OSError, ValueError):
        return AWAY
    return ""
