"""P: Judges what an HTTP/1.1 request head says, beyond its grammar (RFC 9112 sections 3 and 6).

The parser has already refused bad tokens, line folding, bare line feeds and control bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import httptools

from gateway_project.server.refusals import (
    EXPECTATION_FAILED,
    UNKNOWN_CODING,
    UNKNOWN_VERSION,
    Refusal,
    malformed,
)

# CONNECT is not among them: this is no forward proxy. Nor are RTSP's, which the parser knows.
_METHOD_NAMES = """
    ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS
    PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE
"""
METHODS: dict[bytes, str] = {name.encode(): name for name in _METHOD_NAMES.split()}
_KNOWN_CODINGS = {b"chunked", b"compress", b"deflate", b"gzip", b"x-compress", b"x-gzip"}
_HOST_BYTES = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~%!$&'()*+,;=:[]"
# No DNS name is longer (RFC 1035 section 2.3.4); hosts are remembered, so what is accepted has to be small.
_LONGEST_HOST = 255 + len(":65535")


@dataclass(frozen=True, slots=True)
class Target:
    """A request target, as the bytes that were sent. `authority` only if it was in absolute form."""

    raw_path: bytes
    query: bytes
    authority: bytes | None = None


def parse_target(url: bytes, method: str) -> Target | Refusal:
    """Reads origin form, absolute form and `*` (RFC 9112 section 3.2)."""
    if b"#" in url:
        return malformed("a request target has no fragment")
    if url.startswith(b"/"):
        raw_path, _, query = url.partition(b"?")
        return Target(raw_path, query)
    if url == b"*":
        return Target(b"*", b"") if method == "OPTIONS" else malformed("only OPTIONS may ask for *")
    return _parse_absolute(url)


def _parse_absolute(url: bytes) -> Target | Refusal:
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return malformed("the request target is not a valid URL")
    scheme = (parsed.schema or b"").lower()
    if scheme not in (b"http", b"https") or not parsed.host or parsed.userinfo is not None:
        return malformed("the request target must begin with / or http://host")
    host = b"[%b]" % parsed.host if b":" in parsed.host else parsed.host
    authority = b"%b:%d" % (host, parsed.port) if parsed.port else host
    if not valid_host(authority):
        return malformed("the request target's host is not valid")
    return Target(parsed.path or b"/", parsed.query or b"", authority)


def valid_host(value: bytes) -> bool:
    """Whether it is `uri-host [ ":" port ]` by its bytes, its port a number, and no longer than a host can be."""
    if value.translate(None, _HOST_BYTES) or len(value) > _LONGEST_HOST:
        return False
    host, colon, port = value.rpartition(b":")
    if value.startswith(b"["):
        return value.endswith(b"]") or (host.endswith(b"]") and port.isdigit())
    if b"[" in value or b"]" in value or b":" in host:
        return False
    return not colon or not port or (port.isdigit() and len(port) <= 5)


def judge_version(version: str) -> Refusal | None:
    if version in ("1.0", "1.1"):
        return None
    return malformed("the request line has no HTTP version") if version == "0.9" else UNKNOWN_VERSION


def judge_hosts(hosts: list[bytes], version: str) -> Refusal | None:
    """Exactly one Host in HTTP/1.1, at most one in HTTP/1.0 (RFC 9112 section 3.2)."""
    if not hosts:
        return malformed("the Host header is missing") if version == "1.1" else None
    if len(hosts) > 1:
        return malformed("the Host header is there more than once")
    return None if valid_host(hosts[0]) else malformed("the Host header is not valid")


def judge_framing(codings: list[bytes], *, has_length: bool, version: str) -> Refusal | None:
    """Only a length alone or exactly `chunked` alone says where a body ends (RFC 9112 section 6)."""
    if not codings:
        return None
    if has_length:
        return malformed("Transfer-Encoding and Content-Length exclude each other")
    if version != "1.1":
        return malformed("Transfer-Encoding needs HTTP/1.1")
    if len(codings) > 1:
        return malformed("the Transfer-Encoding header is there more than once")
    names = [name.strip(b" \t") for name in codings[0].lower().split(b",")]
    if names == [b"chunked"]:
        return None
    sound = names[-1] == b"chunked" and names.count(b"chunked") == 1 and _KNOWN_CODINGS.issuperset(names)
    return UNKNOWN_CODING if sound else malformed("the Transfer-Encoding header is not valid")


def judge_expectations(values: list[bytes]) -> Refusal | None:
    return None if all(value.lower() == b"100-continue" for value in values) else EXPECTATION_FAILED


def asks_for_websocket(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether `Connection: upgrade` and a sole `Upgrade: websocket` are there (RFC 6455 section 4.1)."""
    upgrades = [value.lower() for name, value in headers if name == b"upgrade"]
    options = [value for name, value in headers if name == b"connection"]
    tokens = {token.strip(b" \t").lower() for value in options for token in value.split(b",")}
    return upgrades == [b"websocket"] and b"upgrade" in tokens
