"""P: Services of the document: targets and how they are reached, balanced, retried and watched."""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator
from pydantic import WithJsonSchema as JsonSchema

from routing.document.base import MARK_TEXT, Spec, option, refusal
from routing.document.scalars import (
    Bool,
    Count,
    Duration,
    FillableBool,
    Int,
    Name,
    Percent,
    Positive,
    Ratio,
    Text,
    selector,
    selector_schema,
)
from routing.document.wire import ServerName, TargetUrl, parse_method
from routing.problems import did_you_mean, quote

Protocol = Literal["http", "https", "h2", "h2c", "grpc"]
LoadBalancing = Literal[
    "round_robin", "weighted_round_robin", "least_connections", "random", "consistent_hash"
]
RETRY_CAUSES = ("connect", "reset", "timeout")
_HASH_PLAIN, _HASH_KEYED = ("ip", "consumer"), ("header", "cookie")


class TargetSpec(Spec):
    """One address of a service."""

    url: TargetUrl = Field(
        description="Where the target listens: http://host:port, https://… or unix:///path.sock. A path is put "
        "before the forwarded path."
    )
    weight: Annotated[Int, Field(ge=1, le=65535)] = option(
        1, "Share of the requests, relative to the other targets; used by weighted strategies."
    )
    zone: Annotated[str, Field(min_length=1, max_length=100)] | None = option(
        None, "Where the target stands; targets in the gateway's own zone are preferred.", examples=["eu-1a"]
    )
    backup: Bool = option(False, "Used only while no ordinary target is healthy.")
    drain: Bool = option(False, "Takes no new requests; those it has may finish.")


class TimeoutSpec(Spec):
    """How long each phase of an upstream request may take."""

    connect: Duration = option(2.0, "To open a connection, TLS included. Default 2s.")
    read: Duration = option(30.0, "Longest pause between two pieces of the answer. Default 30s.")
    total: Duration | None = option(
        None,
        "From the complete request until the head of the answer, retries included. Default: SERVICE_TIMEOUT, "
        "which is 30s unless set.",
    )


def parse_retry_cause(value: object) -> str | int:
    """`connect`, `reset`, `timeout` or an error status of the upstream."""
    if isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599:
        return value
    if isinstance(value, str) and value in RETRY_CAUSES:
        return str(value)
    hint = did_you_mean(value, RETRY_CAUSES) if isinstance(value, str) else ""
    raise refusal(
        "gateway.E005", f"{quote(value)} is not one of connect, reset, timeout or a status 400 to 599{hint}"
    )


def parse_retry_methods(value: object) -> str | tuple[str, ...]:
    """`idempotent`, or a list of methods."""
    if value == "idempotent":
        return "idempotent"
    if isinstance(value, list | tuple):
        return tuple(parse_method(item) for item in value)
    raise refusal("gateway.E005", f'must be "idempotent" or a list of methods, not {quote(value)}')


RetryCause = Annotated[
    str | int,
    PlainValidator(parse_retry_cause),
    JsonSchema(
        {"anyOf": [{"enum": list(RETRY_CAUSES)}, {"type": "integer", "minimum": 400, "maximum": 599}]}
    ),
]
RetryMethods = Annotated[
    str | tuple[str, ...],
    PlainValidator(parse_retry_methods),
    JsonSchema({"anyOf": [{"const": "idempotent"}, {"type": "array", "items": {"type": "string"}}]}),
]


class RetriesSpec(Spec):
    """When a failed upstream request is tried again."""

    attempts: Annotated[Count, Field(le=10)] = option(2, "How often, after the first attempt.")
    on: tuple[RetryCause, ...] = option(
        ("connect", "reset", "timeout", 502, 503, 504), "Failures and statuses that are tried again."
    )
    methods: RetryMethods = option(
        "idempotent",
        "Methods that may be sent twice: `idempotent`, or a list. Unsent requests are always retried.",
    )
    budget: Ratio = option(0.2, "Retries may be at most this share of the requests of the last ten seconds.")
    backoff: Duration = option(0.025, "Pause before the first retry; doubles each time, with jitter.")


class BreakerSpec(Spec):
    """The circuit breaker: a service that keeps failing is left alone for a while."""

    enabled: FillableBool = option(True, "Whether the breaker acts.")
    failure_threshold: Positive | None = option(
        None,
        "Failures within the window that open it. Default: CIRCUIT_BREAKER_FAILURE_THRESHOLD, which is 5.",
    )
    failure_window: Duration = option(10.0, "Length of the sliding window in which failures count.")
    min_throughput: Positive = option(5, "Requests within the window below which it never opens.")
    recovery_timeout: Duration | None = option(
        None, "How long it stays open. Default: CIRCUIT_BREAKER_TIMEOUT_SECONDS, which is 60s."
    )
    half_open_requests: Positive = option(1, "Trial requests at a time; so many successes close it.")
    half_open_timeout: Duration | None = option(
        None,
        "A trial that takes longer gives its place back. Default: CIRCUIT_BREAKER_RETRY_TIMEOUT, which is 30s.",
    )


class HealthSpec(Spec):
    """Active health checks."""

    path: Annotated[str, Field(pattern="^/", max_length=2000)] = option("/health", "Path that is asked.")
    service: Annotated[str, Field(max_length=200)] = option(
        "", "Protocol grpc: the name that grpc.health.v1 is asked about; empty: the server as a whole."
    )
    interval: Duration = option(30.0, "Pause between two checks of a target.")
    timeout: Duration = option(2.0, "A check that takes longer has failed.")
    healthy_after: Positive = option(1, "Successes in a row that make a target healthy.")
    unhealthy_after: Positive = option(3, "Failures in a row that make it unhealthy.")
    expect: tuple[Annotated[Int, Field(ge=100, le=599)], ...] = option(
        (200,), "Statuses that count as healthy."
    )
    body: Text | None = option(None, "Text that the answer must contain.", examples=["ok"])
    slower_than: Duration | None = option(None, "A slower answer counts as a failure.")


class OpenApiSpec(Spec):
    """Where the service describes itself, for the portal at /docs."""

    path: Annotated[str, Field(pattern="^/", max_length=2000)] = option(
        "/openapi.json",
        "Path of its OpenAPI document (3.0 or 3.1, JSON or YAML), behind the target's own path.",
    )
    refresh: Duration = option(300.0, "Pause before it is asked for anew; at least 1s.")


class EjectionSpec(Spec):
    """Passive health: a target whose requests fail is left out for a while."""

    consecutive_errors: Positive = option(5, "Failures in a row that eject a target.")
    for_: Duration = option(30.0, "How long it stays out, times the number of its ejections.", alias="for")
    max_percent: Percent = option(50.0, "At most this share of the targets is out at a time.")


class TlsSpec(Spec):
    """TLS towards the targets. Files and PEM text are both accepted; keys only as a file or `${VAR}`."""

    EMPTY_IS_ABSENT = True
    SECRET = frozenset({"key"})

    verify: Bool = option(True, "Whether the target's certificate is checked.")
    ca: Text | None = option(
        None,
        "Certificates to trust instead of the system's: PEM text or a file's path.",
        examples=["/etc/torana/ca.pem"],
    )
    cert: Text | None = option(
        None, "Client certificate: PEM text or a file's path.", examples=["/etc/torana/client.pem"]
    )
    key: Text | None = option(
        None,
        "The client certificate's private key: a file's path, or PEM text as ${VAR}.",
        examples=["/etc/torana/client.key"],
    )
    sni: ServerName | None = option(
        None, "Server name to ask for and to check, where it is not the target's host."
    )


HashOn = Annotated[
    str,
    PlainValidator(selector(plain=_HASH_PLAIN, keyed=_HASH_KEYED)),
    JsonSchema(selector_schema(plain=_HASH_PLAIN, keyed=_HASH_KEYED)),
]


class ServiceSpec(Spec):
    """A service: a name for one or more targets that answer alike."""

    name: Name = Field(description="Name of the service, by which routes refer to it.")
    managed_by: Name | None = option(None, MARK_TEXT, examples=["ci"])
    protocol: Protocol = option(
        "http",
        "http (any target), https (only https targets), h2 (HTTP/2 over TLS), h2c (HTTP/2 without TLS), grpc.",
    )
    targets: tuple[TargetSpec, ...] = option((), "Addresses of the service.")
    load_balancing: LoadBalancing | None = option(
        None, "How a target is picked. Default: LOAD_BALANCING_STRATEGY, which is round_robin."
    )
    hash_on: HashOn | None = option(
        None, "For consistent_hash, what is hashed: {header: NAME}, {cookie: NAME}, ip or consumer."
    )
    slow_start: Duration | None = option(
        None, "A new or recovered target gets its full share only after this time."
    )
    panic: Bool = option(False, "With no healthy target, try them all instead of answering 503.")
    max_concurrency: Annotated[Int, Field(ge=1, le=10**6)] | None = option(
        None, "Requests at a time, per worker; more are answered 503 OVERLOADED."
    )
    timeout: TimeoutSpec = option(TimeoutSpec(), "Time limits for the phases of an upstream request.")
    retries: RetriesSpec | None = option(None, "When a failed request is tried again.")
    breaker: BreakerSpec | None = option(None, "The circuit breaker.")
    health: HealthSpec | None = option(None, "Active health checks.")
    ejection: EjectionSpec | None = option(None, "Passive health checks.")
    tls: TlsSpec | None = option(None, "TLS towards https targets.")
    openapi: OpenApiSpec | None = option(
        None, "Where its OpenAPI document is, for the portal at /docs. Without it none is looked for."
    )
    descriptors: Text | None = option(
        None,
        "Protocol grpc: what protoc --descriptor_set_out --include_imports wrote, gzipped or not, in base64. It takes "
        "the place of reflection.",
        examples=["${GREETER_DESCRIPTORS}"],
    )
    max_connections: Annotated[Int, Field(ge=1, le=65535)] = option(
        512, "Connections to each target, per worker; further requests wait for one."
    )
