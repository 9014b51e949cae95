"""P: Where a route leads: the destinations other than a service, and what goes with several services."""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, StrictFloat
from pydantic import WithJsonSchema as JsonSchema

from routing.document.base import Shorthand, Spec, option
from routing.document.scalars import (
    Duration,
    Int,
    Label,
    Name,
    Percent,
    Port,
    Positive,
    Ratio,
    Size,
    Status,
    Text,
    selector,
    selector_schema,
)
from routing.document.wire import HeaderValue, Method, ServerName, SetHeaderName

DESTINATIONS = ("service", "backends", "redirect", "respond", "aggregate", "publish")
Times = Annotated[StrictFloat, Field(ge=1, le=1000)]
Topic = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_:-]+(\.[A-Za-z0-9_:-]+)*$", max_length=200)
]  # what every kind of hub takes as the name of a subject
UpstreamPath = Annotated[str, Field(pattern="^/[!-~]*$", max_length=2000)]


class RedirectPathSpec(Shorthand):
    """The path to redirect to: a text alone means `exact`."""

    TEXT_IS = "exact"

    exact: UpstreamPath | None = option(None, "The whole path is replaced by this one.")
    prefix: UpstreamPath | None = option(None, "The matched prefix of the path is replaced by this one.")


class RedirectSpec(Spec):
    """Answers with a redirect. What is left out stays as the request has it."""

    scheme: Literal["http", "https"] | None = option(None, "Scheme to redirect to.")
    host: ServerName | None = option(None, "Host to redirect to.")
    port: Port | None = option(None, "Port to redirect to; the scheme's own port is left out of the URL.")
    path: RedirectPathSpec | None = option(None, "Path to redirect to: a path, or {prefix: /new}.")
    query: Annotated[str, Field(pattern="^[!-~]*$", max_length=2000)] | None = option(
        None,
        "Query to redirect to, without ?; empty drops the request's query, which is kept otherwise.",
        examples=["from=old"],
    )
    status: Literal[301, 302, 303, 307, 308] = option(301, "One of 301, 302, 303, 307 and 308.")


class RespondSpec(Spec):
    """Answers without an upstream."""

    status: Status = option(200, "Status of the answer, 200 to 599.")
    headers: dict[SetHeaderName, HeaderValue] = option({}, "Headers of the answer.")
    body: Text = option("", "Body of the answer, sent as UTF-8.", examples=["Hello.\n"])


class BackendSpec(Spec):
    """One of several services that share a route's requests."""

    service: Name = Field(description="Name of the service.")
    weight: Annotated[Int, Field(ge=0, le=65535)] = option(
        1, "Share of the requests, relative to the others; 0: only those that force it."
    )


class CanarySpec(Spec):
    """Moves the share of the last backend up step by step, and back when it fails."""

    steps: tuple[Percent, ...] = option((5.0, 25.0, 50.0, 100.0), "Shares of the last backend, in percent.")
    every: Duration = option(600.0, "How long each step lasts.")
    max_error_ratio: Ratio = option(
        0.05, "A higher share of failures sends all requests back to the first backend."
    )
    max_latency_ratio: Times | None = option(
        None,
        "How many times longer than the others' the slowest twentieth of its requests may take; more sends all "
        "requests back. Without it, it is not looked at.",
    )
    min_requests: Positive = option(50, "Requests of a step below which nothing is concluded.")


class AggregatePartSpec(Spec):
    """One part of an aggregate: a request to a service, or a value that needs none."""

    service: Name | None = option(None, "Name of the service that is asked.")
    value: Any = option(
        None,
        "Instead of a service: JSON in whose texts ${user.name} and others stand for what the request brings.",
    )
    method: Method = option("GET", "Method of the request.")
    path: UpstreamPath | None = option(
        None,
        "Path and query of the request; ${path.id}, ${request.query.page}, ${consumer.id} and others stand "
        "for what the request brings, ${parts.NAME.EXPRESSION} for what another part does.",
    )
    required: bool = option(False, "Whether the whole answer fails when this part does.", strict=True)
    timeout: Duration | None = option(None, "Longest wait for this part. Default: the aggregate's.")
    pick: Text | None = option(None, "JMESPath expression for what to take from the part's answer.")
    fallback: Any = option(None, "What stands in for an optional part that fails.")
    max_body: Size = option(1 << 20, "Largest answer that is taken; a part with a larger one fails.")


class AggregateSpec(Spec):
    """Asks several services at a time and answers one JSON object."""

    timeout: Duration = option(3.0, "Longest wait for all parts.")
    parts: Annotated[dict[Label, AggregatePartSpec], Field(min_length=1, max_length=50)] = Field(
        description="The parts by their name in the answer."
    )


class PublishSpec(Spec):
    """Publishes the request's body as an event and answers 202."""

    topic: Topic = Field(description="Topic of the event, such as analytics.requested.")


class GrpcSpec(Spec):
    """Beside a service with protocol grpc: calls one of its methods with the request's JSON."""

    service: Label = Field(description="Full name of the gRPC service, such as pkg.Service.")
    method: Label = Field(description="Name of the method.")
    metadata: tuple[SetHeaderName, ...] = option(
        (), "Header fields of the request that go along as metadata."
    )
    answer_metadata: tuple[SetHeaderName, ...] = option(
        (),
        "Metadata of the answer, trailing included, that become header fields; of a stream, the initial one.",
    )


class MirrorSpec(Spec):
    """Sends a copy of some requests to another service; its answers are thrown away."""

    service: Name = Field(description="Name of the service that gets the copies.")
    percent: Percent = option(100.0, "Share of the requests that is copied.")
    max_body: Size = option(64 << 10, "A request with a longer body is not copied.")


_STICKY_PLAIN, _STICKY_KEYED = ("consumer",), ("cookie",)
Sticky = Annotated[
    str,
    PlainValidator(selector(plain=_STICKY_PLAIN, keyed=_STICKY_KEYED)),
    JsonSchema(selector_schema(plain=_STICKY_PLAIN, keyed=_STICKY_KEYED)),
]
_FORCE_KEYED = ("header", "cookie")
Force = Annotated[
    str,
    PlainValidator(selector(plain=(), keyed=_FORCE_KEYED)),
    JsonSchema(selector_schema(plain=(), keyed=_FORCE_KEYED)),
]
