"""P: How an attempt to reach an upstream ended: whose fault it was, in which phase, and whether a retry is safe.

Breakers, health, retries, the error answer and metrics all read this one enum, so that no two of them can
disagree about what a failure means. Knows nothing of sockets: the transport's errors are translated elsewhere.
"""

from enum import Enum
from typing import Final, NamedTuple


class Side(Enum):
    """Who ended the attempt."""

    UPSTREAM = "upstream"
    CLIENT = "client"
    GATEWAY = "gateway"
    NOBODY = "nobody"


class Phase(Enum):
    """How far the attempt had come."""

    CONNECT = "connect"
    REQUEST = "request"
    RESPONSE = "response"
    DONE = "done"


class Traits(NamedTuple):
    side: Side
    phase: Phase
    nothing_sent: bool
    """True when not one byte of the request can have reached the upstream: any method may be repeated."""


class Outcome(Enum):
    """The ends of an attempt. The value is the name used in logs, metrics and explain."""

    OK = "ok"
    UPSTREAM_ERROR = "upstream_error"
    DNS_ERROR = "dns_error"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS_ERROR = "tls_error"
    POOL_TIMEOUT = "pool_timeout"
    STALE = "stale_connection"
    WRITE_TIMEOUT = "write_timeout"
    RESET = "reset"
    PROTOCOL_ERROR = "protocol_error"
    READ_TIMEOUT = "read_timeout"
    TOTAL_TIMEOUT = "total_timeout"
    NO_TIME = "no_time"
    """The client allowed less time than the service has, or it was over before the service was called."""
    BODY_BROKEN = "body_broken"
    BODY_TIMEOUT = "body_timeout"
    NO_TARGET = "no_target"
    CIRCUIT_OPEN = "circuit_open"
    OVERLOADED = "overloaded"
    CLIENT_GONE = "client_gone"
    CLIENT_BODY = "client_body"
    GATEWAY_BUG = "gateway_bug"

    @property
    def traits(self) -> Traits:
        return _TRAITS[self]


_TRAITS: Final[dict[Outcome, Traits]] = {
    Outcome.OK: Traits(Side.NOBODY, Phase.DONE, False),
    Outcome.UPSTREAM_ERROR: Traits(Side.UPSTREAM, Phase.DONE, False),
    Outcome.DNS_ERROR: Traits(Side.UPSTREAM, Phase.CONNECT, True),
    Outcome.CONNECT_REFUSED: Traits(Side.UPSTREAM, Phase.CONNECT, True),
    Outcome.CONNECT_TIMEOUT: Traits(Side.UPSTREAM, Phase.CONNECT, True),
    Outcome.TLS_ERROR: Traits(Side.UPSTREAM, Phase.CONNECT, True),
    Outcome.POOL_TIMEOUT: Traits(Side.GATEWAY, Phase.CONNECT, True),
    Outcome.STALE: Traits(Side.NOBODY, Phase.REQUEST, False),
    Outcome.WRITE_TIMEOUT: Traits(Side.UPSTREAM, Phase.REQUEST, False),
    Outcome.RESET: Traits(Side.UPSTREAM, Phase.REQUEST, False),
    Outcome.PROTOCOL_ERROR: Traits(Side.UPSTREAM, Phase.RESPONSE, False),
    Outcome.READ_TIMEOUT: Traits(Side.UPSTREAM, Phase.RESPONSE, False),
    Outcome.TOTAL_TIMEOUT: Traits(Side.UPSTREAM, Phase.RESPONSE, False),
    Outcome.NO_TIME: Traits(Side.NOBODY, Phase.RESPONSE, False),
    Outcome.BODY_BROKEN: Traits(Side.UPSTREAM, Phase.RESPONSE, False),
    Outcome.BODY_TIMEOUT: Traits(Side.UPSTREAM, Phase.RESPONSE, False),
    Outcome.NO_TARGET: Traits(Side.UPSTREAM, Phase.CONNECT, True),
    Outcome.CIRCUIT_OPEN: Traits(Side.GATEWAY, Phase.CONNECT, True),
    Outcome.OVERLOADED: Traits(Side.GATEWAY, Phase.CONNECT, True),
    Outcome.CLIENT_GONE: Traits(Side.CLIENT, Phase.REQUEST, False),
    Outcome.CLIENT_BODY: Traits(Side.CLIENT, Phase.REQUEST, False),
    Outcome.GATEWAY_BUG: Traits(Side.GATEWAY, Phase.REQUEST, False),
}
