"""P: What the keys of a service must be to each other. Reads raw values; wrong types are reported elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from routing.document.findings import Finding
from routing.document.interpolation import Filled
from routing.problems import quote

Raw = Mapping[str, Any]
# Which target schemes a protocol can be spoken over; TLS is decided by the target's scheme.
_SCHEMES: Final = {
    "http": ("http", "https", "unix"),
    "https": ("https",),
    "h2": ("https",),
    "h2c": ("http", "unix"),
    "grpc": ("http", "https", "unix"),
}


def check_service_rules(raw: Raw) -> Iterator[Finding]:
    """Findings about one service."""
    yield from _targets(raw)
    yield from _hashing(raw)
    if raw.get("openapi") is not None and raw.get("protocol") == "grpc":
        yield Finding("gateway.E021", ("openapi",), "protocol grpc has no OpenAPI document", "grpc")
    tls = raw.get("tls")
    if isinstance(tls, dict):
        yield from _tls(tls)
        yield from _useless_tls(raw)


def _targets(raw: Raw) -> Iterator[Finding]:
    urls = target_urls(raw)
    if not raw.get("targets"):
        yield Finding("gateway.W004", ("targets",), "there are none yet: requests are answered 503")
    protocol = raw.get("protocol") or "http"
    possible = _SCHEMES.get(protocol) if isinstance(protocol, str) else None
    seen: dict[str, int] = {}
    for index, url in urls:
        scheme = url.partition("://")[0]
        if possible is not None and scheme in _SCHEMES["http"] and scheme not in possible:
            message = (
                f"{quote(url)}: protocol {protocol} needs {' or '.join(f'{s}://' for s in possible)} targets"
            )
            yield Finding("gateway.E021", ("targets", index, "url"), message, url)
        if seen.setdefault(url, index) != index:
            message = f"{quote(url)} is there already, as targets[{seen[url]}]"
            yield Finding("gateway.E032", ("targets", index, "url"), message, url)


def _hashing(raw: Raw) -> Iterator[Finding]:
    is_hashing = raw.get("load_balancing") == "consistent_hash"
    if is_hashing and raw.get("hash_on") is None:
        yield Finding("gateway.E036", ("hash_on",), "is missing: consistent_hash needs to know what to hash")
    if not is_hashing and raw.get("hash_on") is not None:
        yield Finding("gateway.E036", ("hash_on",), "needs load_balancing: consistent_hash")


def _tls(tls: Raw) -> Iterator[Finding]:
    cert, key = tls.get("cert"), tls.get("key")
    if cert is not None and key is None:
        yield Finding(
            "gateway.E025", ("tls", "key"), "is missing: a client certificate needs its private key"
        )
    if key is not None and cert is None:
        yield Finding("gateway.E025", ("tls", "cert"), "is missing: a private key needs its certificate")
    for name in ("ca", "cert"):
        yield from _pem(tls.get(name), name, "CERTIFICATE")
    yield from written_secret(key, ("tls", "key"))
    if tls.get("verify") is False and tls.get("ca") is not None:
        yield Finding("gateway.W005", ("tls", "ca"), "has no effect with verify: false")


def _pem(value: object, name: str, kind: str) -> Iterator[Finding]:
    if not isinstance(value, str) or getattr(value, "unset", False):
        return
    if not value.strip():
        yield Finding("gateway.E038", ("tls", name), "must not be empty")
    elif "\n" in value.strip() or "-----" in value:
        is_whole = f"-----BEGIN {kind}-----" in value and f"-----END {kind}-----" in value
        if not is_whole or "PRIVATE KEY" in value:
            message = "is neither a file's path nor a certificate in PEM form (-----BEGIN CERTIFICATE-----)"
            yield Finding("gateway.E025", ("tls", name), message)


def written_secret(value: object, location: tuple[str, ...]) -> Iterator[Finding]:
    """A secret stands in the document only as `${VAR}` or as the path of a file."""
    if not isinstance(value, str):
        return
    written = value.written if isinstance(value, Filled) else value
    if isinstance(value, Filled) and "${" in written and "-----" not in written and ":-" not in written:
        return
    if "\n" in written or "-----" in written or "/" not in written or ":-" in written:
        message = "a secret is not written out: say ${VAR}, or the path of a file such as /run/secrets/name"
        yield Finding("gateway.E026", location, message)


def _useless_tls(raw: Raw) -> Iterator[Finding]:
    urls = target_urls(raw)
    if urls and not any(url.startswith("https://") for _, url in urls):
        yield Finding("gateway.W005", ("tls",), "has no effect: no target is https")


def target_urls(raw: Raw) -> list[tuple[int, str]]:
    """Position and URL of every target that has one."""
    targets = raw.get("targets")
    if not isinstance(targets, list):
        return []
    return [
        (index, url)
        for index, target in enumerate(targets)
        if isinstance(target, dict) and isinstance(url := target.get("url"), str)
    ]
