"""P: Routes of the document: what is matched, where it leads, and the policies in between."""

from typing import Annotated, Literal

from pydantic import Field

from routing.document.access import (
    AuthSpec,
    HeaderOpsSpec,
    IpSpec,
    LimitsSpec,
    QuotaUseSpec,
    RequireHeadersSpec,
    RewriteSpec,
    ValidateSpec,
)
from routing.document.answers import (
    CacheSpec,
    CompressionSpec,
    CorsSpec,
    FaultSpec,
    TransformSpec,
    WebSocketSpec,
)
from routing.document.base import MARK_TEXT, Spec, option
from routing.document.destinations import (
    AggregateSpec,
    BackendSpec,
    CanarySpec,
    Force,
    GrpcSpec,
    MirrorSpec,
    PublishSpec,
    RedirectSpec,
    RespondSpec,
    Sticky,
)
from routing.document.logs import LogSpec
from routing.document.matches import MatchSpec
from routing.document.objectives import SloSpec
from routing.document.scalars import Bool, Duration, Int, Name
from routing.document.statuses import StatusMap


class RouteFields(Spec):
    """The keys of a route that `defaults` may have, too. A route's key replaces the default's whole."""

    match: MatchSpec = option(MatchSpec(), "What a request must look like.")
    priority: Annotated[Int, Field(ge=-1_000_000, le=1_000_000)] = option(
        0, "Higher wins; among equals the more specific route wins."
    )
    enabled: Bool = option(True, "A route that is not enabled matches nothing.")
    service: Name | None = option(None, "Destination: the service that gets the request.")
    backends: tuple[BackendSpec, ...] = option((), "Destination: several services by weight.")
    sticky: Sticky | None = option(
        None, "With backends: {cookie: NAME} or consumer, so that a caller stays with the same backend."
    )
    force: Force | None = option(
        None,
        "With backends: {header: NAME} or {cookie: NAME}, whose value names the service to use.",
        examples=[{"header": "x-variant"}],
    )
    canary: CanarySpec | None = option(
        None, "With backends: moves the share of the last one up step by step."
    )
    redirect: RedirectSpec | None = option(None, "Destination: a redirect.")
    respond: RespondSpec | None = option(None, "Destination: an answer of the gateway's own.")
    aggregate: AggregateSpec | None = option(
        None, "Destination: several services, answered as one JSON object."
    )
    publish: PublishSpec | None = option(None, "Destination: the message bus.")
    grpc: GrpcSpec | None = option(None, "With a service of protocol grpc: its method, called with JSON.")
    auth: AuthSpec | None = option(None, "Who may pass. A route is closed unless it says {level: public}.")
    forward_identity: Literal["headers", "token", "none"] = option(
        "headers",
        "How the service learns who the caller is: X-User-… headers, a signed token, or not at all.",
    )
    forward_credentials: Literal["auto", "all", "none"] = option(
        "auto", "auto removes the credentials that this route's auth used; all keeps them; none removes all."
    )
    quotas: tuple[QuotaUseSpec, ...] = option((), "Quotas that each request counts against, by name.")
    ip: IpSpec | None = option(None, "Addresses that may pass.")
    limits: LimitsSpec | None = option(None, "Limits on size and concurrency.")
    require_headers: RequireHeadersSpec | None = option(
        None,
        "Headers that a request must have, by name: {x-tenant: {}, x-level: {one_of: [a, b]}, x-id: {regex: ...}}.",
    )
    validate_: ValidateSpec | None = option(None, "What body and query must look like.", alias="validate")
    rewrite: RewriteSpec | None = option(None, "What the upstream gets to see instead of path and host.")
    request_headers: HeaderOpsSpec | None = option(None, "Changes to the request's headers.")
    response_headers: HeaderOpsSpec | None = option(None, "Changes to the answer's headers.")
    transform: TransformSpec | None = option(None, "Changes to JSON bodies.")
    status_map: StatusMap = option(
        {}, "Statuses of the upstream to statuses for the client, such as 404: 204.", examples=[{404: 204}]
    )
    envelope: Bool = option(False, "Wrap JSON answers as {data, request_id, timestamp}.")
    cache: CacheSpec | None = option(None, "Caching of answers.")
    compress: Bool = option(False, "Compress answers.")
    compression: CompressionSpec | None = option(None, "How answers are compressed.")
    cors: CorsSpec | None = option(None, "Cross-origin requests from browsers.")
    mirror: MirrorSpec | None = option(None, "Copies of requests to another service.")
    timeout: Duration | None = option(None, "Replaces the service's timeout.total on this route.")
    websocket: WebSocketSpec | None = option(None, "WebSocket connections.")
    allow_encoded_slashes: Bool = option(
        False, "Let %2F and %5C in a path pass to the upstream instead of answering 400."
    )
    fault: FaultSpec | None = option(None, "Faults on purpose.")
    slo: SloSpec | None = option(None, "What the route promises; alerts tell when it is about to be broken.")
    log: LogSpec | None = option(
        None, "What of its requests is written to the access log.", examples=[{"sample": 0.1}]
    )


class RouteSpec(RouteFields):
    """A route, with the document's defaults filled in."""

    name: Name = Field(description="Name of the route.")
    managed_by: Name | None = option(None, MARK_TEXT, examples=["ci"])
