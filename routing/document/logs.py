"""P: What a route writes to the access log."""

from routing.document.base import Spec, option
from routing.document.scalars import FillableBool, Ratio


class LogSpec(Spec):
    """What of the requests to a route is written to the access log."""

    access: FillableBool = option(True, "False: nothing of this route is written, errors included.")
    sample: Ratio | None = option(
        None,
        "Share of the requests that went well that is written, 0 to 1; errors always are. "
        "Default: ACCESS_LOG_SAMPLE, which is 1.",
        examples=[0.1],
    )
