"""P: A route's policies on the way out, and those that last as long as the exchange."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field, PlainValidator
from pydantic import WithJsonSchema as JsonSchema

from routing.document.base import Spec, option, refusal
from routing.document.origins import Origin
from routing.document.scalars import (
    FILLABLE,
    Duration,
    FillableBool,
    Int,
    Label,
    MediaType,
    Percent,
    Size,
    Text,
)
from routing.document.wire import HeaderName, Method
from routing.problems import quote

_MOMENT = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$"


def parse_moment(value: object) -> float:
    """Epoch seconds. A time without a zone is UTC; a date alone is the beginning of its day."""
    try:
        if not isinstance(value, str) or not re.fullmatch(_MOMENT, value):
            raise ValueError
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise refusal("gateway.E038", f"{quote(value)} is not a date such as 2026-12-31T18:00Z") from None


Moment = Annotated[
    float, PlainValidator(parse_moment), JsonSchema({"type": "string", "pattern": rf"{_MOMENT}|{FILLABLE}"})
]


class TransformSpec(Spec):
    """JMESPath expressions over JSON bodies."""

    EMPTY_IS_ABSENT = True

    request: Text | None = option(
        None, "JMESPath expression that makes the upstream's body from the client's."
    )
    response: Text | None = option(
        None, "JMESPath expression that makes the client's body from the upstream's."
    )
    max_body: Size = option(
        1 << 20, "Largest body that is read for an expression; longer ones pass as they are."
    )


Algorithm = Literal["zstd", "br", "gzip"]


class CompressionSpec(Spec):
    """How `compress: true` goes about it."""

    EMPTY_IS_ABSENT = True

    algorithms: tuple[Algorithm, ...] = option(
        ("zstd", "br", "gzip"), "What is offered; of those that a client likes equally, the first."
    )
    min_size: Size = option(1024, "Shorter answers, where the length is known, pass as they are.")
    types: tuple[MediaType, ...] = option((), "Media types that are compressed; empty: those of texts.")
    except_with: tuple[Literal["cookies", "authorization"], ...] = option(
        (),
        "Requests with cookies or authorization that are answered uncompressed, as a page reflects its input.",
    )


class CacheSpec(Spec):
    """Caching of answers (RFC 9111)."""

    ttl: Duration | None = option(None, "How long an answer is fresh that says nothing about it itself.")
    override: FillableBool = option(False, "`ttl` wins over what the answer says.")
    vary: tuple[HeaderName, ...] = option(
        (), "Request headers that distinguish answers, beside the answer's Vary."
    )
    methods: tuple[Method, ...] = option(
        ("GET",), "Methods whose answers are cached: GET, which answers HEAD as well."
    )
    negative_ttl: Duration | None = option(
        None, "How long a 404 or 410 is fresh that says nothing about it itself."
    )
    stale_while_revalidate: Duration | None = option(
        None, "How long a stale answer is served while a new one is fetched, where it says nothing itself."
    )
    stale_if_error: Duration | None = option(
        None, "How long a stale answer stands in for a service that fails, where it says nothing itself."
    )
    max_body: Size = option(1 << 20, "Largest body that is stored; longer answers pass.")
    tags: tuple[Label, ...] = option(
        (), "Tags of all answers for purging, beside their own Cache-Tag and Surrogate-Key."
    )


class CorsSpec(Spec):
    """Cross-origin requests from browsers (Fetch standard)."""

    enabled: FillableBool = option(True, "False leaves it to the service: the gateway says nothing.")
    origins: tuple[Origin, ...] = option(
        (), "Origins whose pages may call, such as https://app.example.com, https://*.example.com or *."
    )
    methods: tuple[Method, ...] = option((), "Methods that they may use; empty: those of the route.")
    headers: tuple[HeaderName, ...] = option(
        (), "Headers that they may send, beside those that need no permission."
    )
    expose: tuple[HeaderName, ...] = option((), "Headers of the answer that scripts may read.")
    credentials: FillableBool = option(False, "Whether cookies and Authorization may be sent.")
    max_age: Duration | None = option(None, "How long browsers remember the permission.")


class WebSocketSpec(Spec):
    """WebSocket connections through the route."""

    enabled: FillableBool = option(True, "Whether WebSocket handshakes are accepted.")
    idle_timeout: Duration = option(
        300.0, "A connection on which neither side sends a message or a ping for so long ends."
    )
    max_message: Size = option(1 << 20, "Largest message; a larger one closes with 1009.")
    on_change: Literal["leave", "drain", "close"] = option(
        "leave", "What becomes of connections when the route goes, takes no more, or leads elsewhere."
    )


class FaultSpec(Spec):
    """Faults on purpose, to see how clients take them."""

    EMPTY_IS_ABSENT = True

    delay: Duration | None = option(None, "Pause before the request goes on.")
    abort: Annotated[Int, Field(ge=400, le=599)] | None = option(
        None, "Error status that is answered instead."
    )
    percent: Percent = option(100.0, "Share of the requests that is hit.")
    until: Moment = Field(
        description="When it ends by itself: date, or date and time (UTC unless it says otherwise)."
    )
