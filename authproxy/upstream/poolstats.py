"""P: Numbers of a pool's connections at one moment, for metrics and admin."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolStats:
    open: int
    """Established, busy or idle."""
    idle: int
    connecting: int
    waiting: int
    """Requests in the queue for a connection."""
