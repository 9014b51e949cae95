"""P: Objectives of routes (SLO): which share of requests is good, over which window."""

from typing import Annotated, get_args

from pydantic import Field, PlainValidator, StrictFloat, StrictInt
from pydantic import WithJsonSchema as JsonSchema

from routing.document.base import Spec, option, refusal
from routing.document.scalars import Duration, parse_duration
from routing.problems import quote

Share = Annotated[
    StrictFloat | StrictInt,
    Field(ge=50, lt=100),
    JsonSchema({"type": "number", "minimum": 50, "exclusiveMaximum": 100}),
]
DAY_S = 86400.0


def parse_window(value: object) -> float:
    """A duration from 1d to 90d, in seconds."""
    seconds = parse_duration(value)
    if not DAY_S <= seconds <= 90 * DAY_S:
        raise refusal("gateway.E007", f"must be from 1d to 90d, not {quote(value)}")
    return seconds


Window = Annotated[float, PlainValidator(parse_window), *get_args(Duration)[2:]]


class LatencyObjectiveSpec(Spec):
    """A share of requests that takes no longer than a time."""

    under: Duration = Field(description="What takes no longer is good.")
    target: Share = option(99.0, "Percent of the requests that shall be good.", examples=[95])


class SloSpec(Spec):
    """What a route promises."""

    availability: Share | None = option(
        None,
        "Percent of the requests that shall not fail; 5xx and lost connections are failures.",
        examples=[99.9],
    )
    latency: LatencyObjectiveSpec | None = option(None, "How fast the answers shall be.")
    window: Window = option(30 * DAY_S, "Over which time, from 1d to 90d.")
