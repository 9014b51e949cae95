"""P: The path and host that an upstream gets to see, and the Location of a redirect.

The joining rule: nothing is added that neither the client nor the configuration wrote. A target's
base path, what replaces the matched prefix and the rest of the client's path are put together with
exactly one slash between two parts; a slash at the end is there if the last part wrote it. Only a
path that would be empty becomes "/". The query is not touched.

A regular expression sees the path as it is sent (percent-encoded, escapes of unreserved characters
decoded, as RFC 3986 section 6.2.2.2 allows); every match is replaced; what comes out is resolved
again, so that no replacement can make a dot segment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from routing.paths import BadPath, normalise
from routing.shapes.templates import Template
from routing.snapshot import Redirect

PathChange = Literal["none", "prefix", "path", "regex"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_VISIBLE = bytes(range(0x21, 0x7F))
_UNRESERVED_ESCAPE = re.compile(r"%(?:2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])")
_STRAY_PERCENT = re.compile(rb"%(?![2-9A-Fa-f][0-9A-Fa-f])|%(?=7[Ff])")


@dataclass(frozen=True, slots=True)
class CompiledRewrite:
    """How a route changes path and host. `replacement` is percent-encoded already."""

    change: PathChange = "none"
    replacement: bytes = b""  # of the prefix (b"" strips it) or of the whole path
    prefix_segments: int = 0  # how many segments the matched prefix has
    pattern: re.Pattern[str] | None = None
    to: str = ""
    host: bytes | None = None
    preserve_host: bool = False
    template: Template | None = None  # what `replacement` is made of, for each request
    host_template: Template | None = None
    is_templated: bool = False  # either

    def apply(self, path: bytes, base_path: bytes = b"") -> bytes:
        """The path to send: `path` is a NormalPath's forward form, `base_path` the target's."""
        if self.change == "prefix":
            path = replace_prefix(path, self.prefix_segments, self.replacement)
        elif self.change == "path":
            path = self.replacement
        elif self.pattern is not None:
            path = _substitute(self.pattern, self.to, path)
        return base_path + path or b"/"


def replace_prefix(path: bytes, segments: int, replacement: bytes) -> bytes:
    """The path with its first segments replaced; b"" if nothing is left."""
    start = 0
    for _ in range(segments):
        start = path.find(b"/", start + 1)
        if start < 0:
            return replacement
    return replacement.removesuffix(b"/") + path[start:]


def written_path(text: str) -> bytes:
    """A path from the configuration as it is sent: resolved, and percent-encoded where it must be."""
    return _sendable(quote(text, safe=_VISIBLE.translate(None, b"?#"), errors="replace").encode("ascii"))


def location(redirect: Redirect, *, scheme: str, host: bytes, path: bytes, query: bytes) -> bytes:
    """The Location of a redirect, for a request's scheme, raw Host, forward path and raw query.

    A redirect of the path alone is relative to the root, so it stays right behind any proxy. With a
    host or scheme of its own, only the port that the redirect names is kept.
    """
    if redirect.path is not None:
        path = redirect.path
    elif redirect.prefix is not None:
        path = replace_prefix(path, redirect.prefix_segments, redirect.prefix)
    if redirect.query is not None:
        query = redirect.query
    # Browsers read a backslash as a slash, and "//host" as another site.
    target = b"/" + path.replace(b"\\", b"%5C").lstrip(b"/")
    if query:
        target += b"?" + quote(query, safe=_VISIBLE).encode("ascii")
    return _origin(redirect, scheme, host) + target + redirect.fragment


def _origin(redirect: Redirect, scheme: str, host: bytes) -> bytes:
    name = redirect.host.encode("ascii") if redirect.host is not None else _without_port(host)
    if not name or (redirect.scheme is None and redirect.host is None and redirect.port is None):
        return b""
    scheme = redirect.scheme or scheme
    port = redirect.port if redirect.port != _DEFAULT_PORTS.get(scheme) else None
    return b"%s://%s%s" % (scheme.encode("ascii"), name, b"" if port is None else b":%d" % port)


def _without_port(host: bytes) -> bytes:
    if host.startswith(b"["):
        return host.partition(b"]")[0] + b"]"
    return host.partition(b":")[0]


def _substitute(pattern: re.Pattern[str], to: str, path: bytes) -> bytes:
    text = path.decode("ascii")
    if "%" in text:
        text = _UNRESERVED_ESCAPE.sub(lambda escape: chr(int(escape[0][1:], 16)), text)
    pieces: list[str] = []
    end = -1
    for found in pattern.finditer(text):
        if found.end() == end:
            continue  # nothing at all, right behind a match: "(.*)" replaces a path once, not twice
        pieces += (text[max(end, 0) : found.start()], found.expand(to))
        end = found.end()
    if end < 0:
        return path
    changed = "".join((*pieces, text[end:]))
    return _sendable(quote(changed, safe=_VISIBLE.translate(None, b"?#")).encode("ascii"))


def _sendable(path: bytes) -> bytes:
    """A path that a rewrite made, resolved; percent signs that escape nothing allowed are escaped."""
    path = _STRAY_PERCENT.sub(b"%25", b"/" + path.removeprefix(b"/"))
    normal = normalise(path)
    # What is left to refuse is a dot segment beside an encoded slash, which a route must allow first.
    return path if isinstance(normal, BadPath) else normal.forward
