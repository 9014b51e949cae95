"""P: What the keys of an identity provider must be to each other."""

from collections.abc import Iterator, Mapping
from typing import Any

from routing.document.findings import Finding
from routing.document.service_rules import written_secret


def check_provider_rules(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """A provider needs keys from somewhere, and its secret is not written out."""
    yield from written_secret(raw.get("secret"), ("secret",))
    if all(raw.get(name) is None for name in ("jwks_url", "discovery_url", "secret")):
        yield Finding("gateway.E036", (), "needs jwks_url, discovery_url or secret to verify tokens with")
    algorithms = raw.get("algorithms")
    uses_secret = isinstance(algorithms, list) and any(str(name).startswith("HS") for name in algorithms)
    if uses_secret and raw.get("secret") is None:
        yield Finding("gateway.E036", ("secret",), "is missing: HS algorithms need a shared secret")
    if uses_secret and any(not str(name).startswith("HS") for name in algorithms or ()):
        # A public key must never be taken for a shared secret (RFC 8725 section 3.1).
        yield Finding("gateway.E022", ("algorithms",), "HS and public-key algorithms exclude each other")
