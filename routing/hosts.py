"""P: The host that a request names, and which host patterns it fits (RFC 9110 section 7.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import Final

_AUTHORITY: Final = re.compile(rb"(?:\[([^\[\]]*)\]|[A-Za-z0-9._~%!$&'()*+,;=-]+)(?::[0-9]{0,5})?")
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
    if found is None or found[1] is None:
        return found is not None
    try:
        return bool(IPv6Address(found[1].decode("ascii")))
    except ValueError:
        return False


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
