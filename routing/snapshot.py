"""P: What a revision compiles to: frozen values that the data plane reads and nothing changes.

A request takes one Snapshot at its start and keeps it to its end. Everything that can be decided
before the first request (bytes of headers, parsed target URLs, ranks) is decided here, once.
What must outlive a snapshot (breakers, pools, counters) is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from resilience.policies import (
    BalancingPolicy,
    BreakerPolicy,
    ConcurrencyPolicy,
    EjectionPolicy,
    FaultPolicy,
    HealthPolicy,
    QuotaPolicy,
    RetryPolicy,
)
from routing.aggregation import Aggregate
from routing.shapes.shapes import PLAIN, Shapes
from routing.splitting import Split
from routing.topics import NO_RULES, TopicRules

if TYPE_CHECKING:
    from routing.conditions import HeaderCondition, QueryCondition
    from routing.document.services import TlsSpec
    from routing.matching import RouteIndex
    from routing.patterns import PathPattern
    from routing.rewrite import CompiledRewrite
    from routing.shapes.templates import Template

TargetScheme = Literal["http", "https", "unix"]
HeaderList = tuple[tuple[bytes, bytes], ...]
IN_TURN = BalancingPolicy()


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
    weight: int = 1
    zone: str = ""
    backup: bool = False
    drain: bool = False


class OpenApiSource(NamedTuple):
    """Where a service's OpenAPI document is."""

    path: str
    refresh_s: float


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
    balancing: BalancingPolicy = IN_TURN
    concurrency: ConcurrencyPolicy | None = None
    retries: RetryPolicy | None = None
    breaker: BreakerPolicy | None = None
    health: HealthPolicy | None = None
    ejection: EjectionPolicy | None = None
    descriptors: str | None = None  # an uploaded gRPC descriptor set, as the document holds it
    openapi: OpenApiSource | None = None
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


@dataclass(frozen=True, slots=True)
class Publish:
    """The route hands the request's body to the message bus, as an event."""

    topic: str


class Logged(NamedTuple):
    """What of a route's requests is written to the access log."""

    access: bool = True
    sample: float | None = None  # of those that went well; None: as the settings say


class Slo(NamedTuple):
    """What a route promises over a window; shares of good requests are above 0 and below 1."""

    window_s: int
    availability: float | None = None
    under_s: float | None = None  # what takes no longer is good
    latency: float = 0.0  # the share that is


@dataclass(frozen=True, slots=True)
class Grpc:
    """The route calls a gRPC method of a service with the request's JSON."""

    upstream: str  # the gateway's name of the service
    service: str
    method: str
    metadata: frozenset[bytes] = frozenset()  # header fields of the request that go along
    answer_metadata: frozenset[bytes] = frozenset()  # metadata of the answer that become header fields


Destination = Forward | Split | Redirect | Respond | Aggregate | Publish | Grpc


def service_of(destination: Destination) -> str | None:
    """The one service that a request is sent to, where there is one."""
    match destination:
        case Forward(service=name) | Grpc(upstream=name):
            return name
    return None


def services_of(destination: Destination) -> tuple[str, ...]:
    """The services that a destination asks."""
    match destination:
        case Forward(service=service):
            return (service,)
        case Grpc(upstream=service):
            return (service,)
        case Split() | Aggregate():
            return destination.services
    return ()


@dataclass(frozen=True, slots=True)
class HeaderOps:
    """Changes to a header list, in this order: remove, set (replace), add. Names are lower case."""

    remove: frozenset[bytes] = frozenset()
    set: HeaderList = ()
    add: HeaderList = ()
    templates: tuple[tuple[bytes, Template], ...] = ()  # set or added, filled in for each request
    dropped: frozenset[bytes] = field(init=False, repr=False, compare=False)  # what does not stay as it is

    def __post_init__(self) -> None:
        object.__setattr__(self, "dropped", self.remove.union(name for name, _ in self.set))


@dataclass(frozen=True, slots=True)
class Auth:
    """Who may use a route. Several scopes: all of them; several roles: one of them."""

    level: Literal["public", "user", "admin", "service"] = "user"
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    methods: tuple[Literal["jwt", "api_key", "session"], ...] = ("jwt", "api_key", "session")  # in this order
    reject_invalid: bool = False
    is_enforced: bool = True  # False: judge, count, let pass


@dataclass(frozen=True, slots=True)
class CompiledProvider:
    """An issuer of tokens that the gateway accepts, beside itself."""

    name: str
    issuers: frozenset[str]  # accepted `iss` values; empty: any, or none
    audiences: frozenset[str]  # of which `aud` must name one; empty: not looked at
    jwks_url: str | None
    discovery_url: str | None
    secret: str | None = field(repr=False)  # for HS algorithms
    cookie: str | None  # a cookie in which the token comes, too
    algorithms: frozenset[str]
    subject_claim: str = "sub"
    name_claim: str | None = None
    email_claim: str | None = None
    roles_claim: str = "roles"
    scopes_claim: str = "scope"


PUBLIC = Auth(level="public")
CLOSED = Auth()


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
    max_body: int | None  # bytes; None also where it is only watched
    timeout_s: float | None  # replaces the service's total
    allow_encoded_slashes: bool
    source: Mapping[str, Any] = field(repr=False, compare=False)  # as written, without the defaults
    from_defaults: frozenset[str] = frozenset()  # the keys that came from `defaults`
    auth: Auth = CLOSED
    forward_identity: Literal["headers", "token", "none"] = "headers"
    forward_credentials: Literal["auto", "all", "none"] = "auto"
    quotas: tuple[QuotaPolicy, ...] = ()
    concurrency: ConcurrencyPolicy | None = None
    watched_body: int | None = None  # bytes; a larger body is noted, and passes
    fault: FaultPolicy | None = None
    slo: Slo | None = None
    log: Logged | None = None
    shapes: Shapes = PLAIN
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
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)  # scopes by role
    default_roles: frozenset[str] = field(default=frozenset(), repr=False)  # that registered accounts have
    quotas: Mapping[str, QuotaPolicy] = field(default_factory=dict, repr=False)
    plans: Mapping[str, Mapping[str, QuotaPolicy]] = field(
        default_factory=dict, repr=False
    )  # the quotas that replace others, by plan and name
    providers: tuple[CompiledProvider, ...] = field(default=(), repr=False)
    topics: TopicRules = field(default=NO_RULES, repr=False)
