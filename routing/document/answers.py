"""P: A route's policies on the way out, and those that last as long as the exchange."""

from typing import Annotated, Literal

from pydantic import Field

from routing.document.base import Spec, option
from routing.document.scalars import Duration, FillableBool, Label, Percent, Size, Status, Text
from routing.document.wire import HeaderName, Method


class TransformSpec(Spec):
    """JMESPath expressions over JSON bodies."""

    EMPTY_IS_ABSENT = True

    request: Text | None = option(None, "Expression that makes the upstream's body from the client's.")
    response: Text | None = option(None, "Expression that makes the client's body from the upstream's.")


class CacheSpec(Spec):
    """Caching of answers (RFC 9111)."""

    ttl: Duration | None = option(None, "How long an answer is fresh that says nothing about it itself.")
    override: FillableBool = option(False, "`ttl` wins over what the answer says.")
    vary: tuple[HeaderName, ...] = option(
        (), "Request headers that distinguish answers, beside the answer's Vary."
    )
    methods: tuple[Method, ...] = option(("GET",), "Methods whose answers are cached.")


class CorsSpec(Spec):
    """Cross-origin requests from browsers (Fetch standard)."""

    origins: tuple[Label, ...] = option((), "Origins that may call, such as https://app.example.com, or *.")
    methods: tuple[Method, ...] = option((), "Methods that they may use; empty: those of the route.")
    headers: tuple[HeaderName, ...] = option((), "Headers that they may send.")
    expose: tuple[HeaderName, ...] = option((), "Headers of the answer that scripts may read.")
    credentials: FillableBool = option(False, "Whether cookies and Authorization may be sent.")
    max_age: Duration | None = option(None, "How long browsers remember the permission.")


class WebSocketSpec(Spec):
    """WebSocket connections through the route."""

    enabled: FillableBool = option(True, "Whether WebSocket handshakes are accepted.")
    idle_timeout: Duration = option(300.0, "A connection without any message for so long is closed.")
    max_message: Size = option(1 << 20, "Largest message; a larger one closes with 1009.")
    on_change: Literal["leave", "drain", "close"] = option(
        "leave", "What happens to connections when the route goes."
    )


class FaultSpec(Spec):
    """Faults on purpose, to see how clients take them."""

    EMPTY_IS_ABSENT = True

    delay: Duration | None = option(None, "Pause before the request goes on.")
    abort: Status | None = option(None, "Status that is answered instead.")
    percent: Percent = option(100.0, "Share of the requests that is hit.")
    until: (
        Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$")] | None
    ) = option(None, "When it ends by itself: date, or date and time (UTC unless it says otherwise).")
