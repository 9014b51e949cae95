"""P: The host that a request names, and which host patterns it fits (RFC 9110 section 7.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import Final

_AUTHORITY: Final = re.compile(rb"(?:\[([^\[\]]*)\]|[A-Za-z0-9._~%!$&'()*+,;=-]+)(?::([0-9]{0,5}))?")
_HIGHEST_PORT: Final = 65_535
_LONGEST = 255  # a DNS name is not longer (RFC 1035 section 2.3.4)


def request_host(raw: bytes) -> str:
    """The name in a Host header: lower case, without port and final dot. "" if there is none."""
    if len(raw) > _LONGEST + len(":65535"):
        return ""
    text = raw.decode("latin-1").lower()
    if text.startswith("["):
        return text.partition("]")[0] + "]"
    return text.partition(":")[0].removesuffix(".")


def is_authority(raw: bytes) -> bool:
    """Whether it is a host, with a port or without: what a URL names, and a Host header."""
    found = _AUTHORITY.fullmatch(raw) if len(raw) <= _LONGEST + len(":65535") else None
    if found is None or int(found[2] or b"0") > _HIGHEST_PORT:
        return False
    if found[1] is None:
        return True
    try:
        return bool(IPv6Address(found[1].decode("ascii")))
    except ValueError:
        return False


def punycode(host: str) -> str:
    """How a name is spelled on the wire (RFC 3490); "" if it cannot be."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def spelled(authority: str) -> str:
    """A host that people wrote in their own letters as clients send it, with its port; "" if there is no such."""
    name, colon, port = authority.partition(":")
    better = f"{punycode(name)}{colon}{port}"
    return better if not name.isascii() and is_authority(better.encode("utf-8", "surrogatepass")) else ""


def wildcards(host: str) -> Iterator[str]:
    """The wildcard patterns that a host fits, longest first; "*.b.c" takes "x.y.b.c", never "b.c"."""
    rest = host
    while "." in rest:
        rest = rest.partition(".")[2]
        yield "*." + rest


def host_fits(pattern: str, host: str) -> bool:
    """Whether one host pattern (lower case; "" is any) takes a host."""
    if pattern.startswith("*."):
        return pattern in wildcards(host)
    return pattern in ("", host)
