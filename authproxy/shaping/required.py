"""I: The step "does the request have the header fields that the route requires"."""

from typing import Final

from authproxy.exchange import Exchange
from authproxy.rejections import Code, Rejection
from authproxy.shaping.logonly import concluded
from routing.shapes.headers_required import Lack, RequiredHeaders

POLICY: Final = "require_headers"


class Required:
    """One route's step."""

    __slots__ = ("_policy",)

    def __init__(self, policy: RequiredHeaders) -> None:
        self._policy = policy

    def step(self, exchange: Exchange) -> Rejection | None:
        """A refusal that says which field is missing, or what it should be."""
        lack = self._policy.lacking(exchange.scope["headers"])
        if lack is None:
            return None
        return concluded(exchange, POLICY, lack.reason, refusal(lack), is_enforced=self._policy.is_enforced)


def refusal(lack: Lack) -> Rejection:
    """Names the field, what is wanted and what came."""
    message = (
        f"The header {lack.header} is missing."
        if lack.value is None
        else f"The header {lack.header} does not have a value that is accepted here."
    )
    expected = lack.expected if isinstance(lack.expected, str) else list(lack.expected)
    details = {"header": lack.header, "expected": expected, "value": lack.value}
    return Rejection(Code.INVALID_REQUEST, message, details=details)
