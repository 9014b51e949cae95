"""I: How much is left in buckets that a Redis counts, asked from outside of the workers; nothing is consumed.

The server's clock decides, as it does for requests. Threads may wait for the answer a little.
"""

from collections.abc import Sequence
from struct import calcsize, unpack
from typing import Any, Final

from redis.exceptions import RedisError

from resilience.limiter import SECOND_US, State, meter_of
from resilience.stores.address import Address
from resilience.stores.base import Charge, Decision, bucket_of, peeked
from resilience.stores.blocking import blocking_client_of
from resilience.stores.connection import Away

TIMEOUT_S: Final = 0.5
_STATE: Final = "<ddd"
_LENGTH: Final = calcsize(_STATE)


def peek(address: Address, charges: Sequence[Charge], *, prefix: str) -> tuple[Decision, ...] | Away:
    """What requests would be told now, each alone, before they are counted; Away where Redis does not answer."""
    if not charges:
        return ()
    meters = [meter_of(policy) for policy, _ in charges]
    keys = [prefix + bucket_of(meter, key) for meter, (_, key) in zip(meters, charges, strict=True)]
    try:
        client: Any = blocking_client_of(address, timeout_s=TIMEOUT_S)
        try:
            states = [_state(client.get(key)) for key in keys]
            now = _now(client, keys[0])
        finally:
            client.close()
    except (RedisError, OSError, ValueError, OverflowError) as error:
        return Away(f"{type(error).__name__}: {error}")
    return tuple(peeked(meter, state, now) for meter, state in zip(meters, states, strict=True))


def _now(client: Any, key: str) -> int:
    """µs of the epoch by the clock of the server that has the key."""
    seconds, microseconds = client.eval("return redis.call('TIME')", 1, key)
    return int(seconds) * SECOND_US + int(microseconds)


def _state(packed: bytes | None) -> State | None:
    """As `limits.lua` keeps it; what is of another length means nothing to it either."""
    if packed is None or len(packed) != _LENGTH:
        return None
    return tuple(int(number) for number in unpack(_STATE, packed))
