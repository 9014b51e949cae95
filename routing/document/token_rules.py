"""P: Warns of tokens that the services which get them cannot verify."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from routing.document.findings import Finding
from routing.problems import quote

KEY: Final = "forward_identity"
_ASKS_NO_SERVICE: Final = ("redirect", "respond", "publish")


def check_forwarded_token(
    raw: Mapping[str, Any], defaults: Mapping[str, Any] | None, *, jwt_algorithm: str | None
) -> Iterator[Finding]:
    """A warning for one route with its defaults filled in; what it only inherits is told of the defaults."""
    if is_token((defaults or {}).get(KEY)) or any(raw.get(name) for name in _ASKS_NO_SERVICE):
        return
    yield from check_token(raw.get(KEY), f"route {quote(raw.get('name'))} sends its service", jwt_algorithm)


def check_token(value: object, sent: str, jwt_algorithm: str | None) -> Iterator[Finding]:
    """A warning where tokens have no public key; none while the algorithm is not known. `sent` begins the sentence."""
    if is_token(value) and jwt_algorithm is not None and jwt_algorithm.startswith("HS"):
        message = (
            f"{sent} a token that only the gateway's secret verifies, since JWT_ALGORITHM is {jwt_algorithm}; "
            "set it to ES256, RS256 or EdDSA, whose public keys are published"
        )
        yield Finding("gateway.W010", (KEY,), message, "token")


def is_token(value: object) -> bool:
    return value == "token"
