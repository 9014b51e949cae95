"""P: What a revision compiles to: frozen values that the data plane reads and nothing changes.

A request takes one Snapshot at its start and keeps it to its end. Everything that can be decided
before the first request (bytes of headers, parsed target URLs, ranks) is decided here, once.
What must outlive a snapshot (breakers, pools, counters) is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from routing.conditions import HeaderCondition, QueryCondition
    from routing.document.services import TlsSpec
    from routing.matching import RouteIndex
    from routing.patterns import PathPattern
    from routing.rewrite import CompiledRewrite

TargetScheme = Literal["http", "https", "unix"]
HeaderList = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class CompiledTarget:
    """One address of a service, parsed once."""

    url: str
    scheme: TargetScheme
    host: str  # without the brackets of an IPv6 literal; "" for a Unix socket
    port: int  # 0 for a Unix socket
    socket_path: str | None
    base_path: bytes  # never ends in a slash; b"" when the URL has no path
    authority: bytes  # what the Host header says unless the route rewrites it


@dataclass(frozen=True, slots=True)
class CompiledService:
    """A named group of targets and how to talk to them."""

    name: str
    protocol: str
    targets: tuple[CompiledTarget, ...]
    connect_timeout_s: float
    read_timeout_s: float  # the longest gap between two reads
    total_timeout_s: float  # from the complete request to the head of the answer
    tls: TlsSpec | None
    max_connections: int  # per target and worker
    source: Mapping[str, Any] = field(repr=False, compare=False)
    load_balancing: str = "round_robin"
    overridden_by: str | None = None  # the environment variable that replaced the targets
    runtime: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Forward:
    """The route sends the request to a service."""

    service: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """The route answers with a Location; what is None stays as the client wrote it."""

    status: int
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    path: bytes | None = None  # replaces the whole path
    prefix: bytes | None = None  # replaces the matched prefix
    prefix_segments: int = 0  # how many segments of the request the prefix stands for
    query: bytes | None = None  # replaces the query; None keeps it
    fragment: bytes = b""  # with its number sign


@dataclass(frozen=True, slots=True)
class Respond:
    """The route answers by itself. Header names are lower case."""

    status: int
    headers: HeaderList = ()
    body: bytes = b""


Destination = Forward | Redirect | Respond


@dataclass(frozen=True, slots=True)
class HeaderOps:
    """Changes to a header list, in this order: remove, set (replace), add. Names are lower case."""

    remove: frozenset[bytes] = frozenset()
    set: HeaderList = ()
    add: HeaderList = ()


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """A route with everything ready: when it matches, what it does."""

    name: str
    rank: tuple[Any, ...] = field(repr=False)  # of its best host; smaller wins
    priority: int
    hosts: tuple[str, ...]  # lower case, "*.example.com" for wildcards; empty: any host
    pattern: PathPattern
    methods: tuple[str, ...]  # sorted; empty: any method
    headers: tuple[HeaderCondition, ...]
    query: tuple[QueryCondition, ...]
    destination: Destination
    rewrite: CompiledRewrite | None
    request_headers: HeaderOps | None
    response_headers: HeaderOps | None
    max_body: int | None  # bytes
    timeout_s: float | None  # replaces the service's total
    allow_encoded_slashes: bool
    source: Mapping[str, Any] = field(repr=False, compare=False)  # as written, without the defaults
    from_defaults: frozenset[str] = frozenset()  # the keys that came from `defaults`
    plan: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class BuiltinRoute:
    """An endpoint of the gateway itself. Nothing shadows it, unless it yields to any route."""

    name: str
    path: str = ""
    is_prefix: bool = False  # whole segments, as a route's prefix
    yields: bool = False


@dataclass(frozen=True, slots=True)
class Miss:
    """No route took the request. A non-empty `allow` means 405, with these methods; else 404."""

    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One compiled revision, whole."""

    revision: int
    digest: str
    services: Mapping[str, CompiledService] = field(repr=False)
    routes: Mapping[str, CompiledRoute] = field(repr=False)  # the enabled ones
    index: RouteIndex = field(repr=False)
    disabled: Mapping[str, CompiledRoute] = field(default_factory=dict, repr=False)
    defaults: Mapping[str, Any] = field(default_factory=dict, repr=False)
