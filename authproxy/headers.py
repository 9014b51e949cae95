"""P: What happens to header fields on the way through: read once, hop-by-hop removed, forwarding fields built.

RFC 9110 sections 5, 7.6 and 15.2, RFC 7239 (Forwarded), W3C Trace Context. Names are lower-case bytes, as ASGI has
them. Order and duplicates of what passes are kept, but credentials come after the rest; nothing is added that is not
named here.
"""

import re
from collections.abc import Container, Iterable, Sequence
from typing import Final

from routing.snapshot import HeaderOps

Pair = tuple[bytes, bytes]
Pairs = Sequence[Pair]

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)
"""RFC 9110 section 7.6.1, RFC 9112 section 9, RFC 7540 section 3.2.1."""

_IDENTITY: Final = (
    b"x-user-id",
    b"x-user-name",
    b"x-user-roles",
    b"x-user-scopes",
    b"x-consumer",
    b"x-auth-method",
)
"""The gateway alone states who the caller is; a client that sends these is trying to be somebody else."""


def _spellings(name: bytes) -> Iterable[bytes]:
    """`name` with each hyphen also as an underscore: CGI-style upstreams cannot tell the two apart."""
    spelled = [b""]
    for part in re.split(b"(-)", name):
        endings = (b"-", b"_") if part == b"-" else (part,)
        spelled = [start + end for start in spelled for end in endings]
    return spelled


IDENTITY: Final = frozenset(spelling for name in _IDENTITY for spelling in _spellings(name))

API_KEY_SPELLINGS: Final = frozenset(_spellings(b"x-api-key"))
CREDENTIALS: Final = API_KEY_SPELLINGS | {b"authorization", b"cookie"}
"""Fields that may hold a credential of the gateway's: set aside, because they may have to end here."""

_FORWARDING: Final = frozenset(
    spelling for name in (b"forwarded", b"x-real-ip") for spelling in _spellings(name)
)
_FORWARDING_FAMILY: Final = tuple(_spellings(b"x-forwarded-"))
"""X-Forwarded-For and all its relatives: -Proto, -Port, -Prefix, -Ssl, -User, -Client-Cert and whatever comes next."""

_READ: Final = frozenset(
    {
        b"host",
        b"content-length",
        b"expect",
        b"x-request-id",
        b"traceparent",
        b"x-request-timeout-ms",
        b"x-retry-count",
    }
)
_HANDLED: Final = HOP_BY_HOP | IDENTITY | _READ

_MAX_ORDINARY: Final = 4096
_LONGEST_ORDINARY: Final = 64
_ordinary: set[bytes] = set()
"""A cache of names that pass as they are; anything else is looked at closely."""

_NEVER_BY_CONNECTION: Final = frozenset(
    {
        b"host",
        b"content-length",
        b"content-type",
        b"content-encoding",
        b"authorization",
        b"cookie",
        b"x-api-key",
    }
)
"""A client may not have these removed by naming them in Connection: framing and credentials are end-to-end."""

CORS_FIELDS: Final = frozenset(
    b"access-control-" + name
    for name in (
        b"allow-origin",
        b"allow-credentials",
        b"allow-methods",
        b"allow-headers",
        b"expose-headers",
        b"max-age",
    )
)
"""What an answer says to pages of other origins (Fetch standard section 3.2.3)."""

SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}").fullmatch
"""A request id of the client's that is short and plain enough to be repeated."""
_TRACEPARENT: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[^\s]*)?"
).fullmatch
_HARMLESS_CONNECTION: Final = frozenset({b"keep-alive", b"close", b"Keep-Alive", b"Close", b""})


class RequestHead:
    """The request's header fields after one pass: what the gateway itself reads, and what goes on as it is."""

    __slots__ = (
        "chunked",
        "content_length",
        "credentials",
        "forwarding",
        "host",
        "passed",
        "request_id",
        "timeout_ms",
        "traceparent",
        "trailers",
    )

    def __init__(self) -> None:
        self.host = b""
        self.request_id = b""
        self.traceparent = b""
        self.content_length = b""
        self.chunked = False
        self.timeout_ms = b""
        """How long the client waits, as it says it; of several the last counts."""
        self.trailers = False
        """The client says `TE: trailers`: it can take trailer fields (RFC 9110 section 10.1.4)."""
        self.forwarding: list[Pair] | None = None
        """What an earlier proxy says of the client: believed only if that proxy is trusted."""
        self.credentials: list[Pair] | None = None
        """The fields of `CREDENTIALS` that the client sent; None for none. They are not among `passed`."""
        self.passed: list[Pair] = []

    @property
    def has_body(self) -> bool:
        return self.chunked or self.content_length not in (b"", b"0")


def read(headers: Pairs) -> RequestHead:
    """One pass over the client's header fields."""
    head = RequestHead()
    passed = head.passed
    listed: set[bytes] | None = None
    for pair in headers:
        name = pair[0]
        if name in _ordinary:
            passed.append(pair)
        elif name == b"host":
            head.host = pair[1]
        elif name == b"connection":
            if pair[1] not in _HARMLESS_CONNECTION:
                listed = (listed or set()) | connection_listed(pair[1])
        elif name in CREDENTIALS:
            if head.credentials is None:
                head.credentials = []
            head.credentials.append(pair)
        else:
            _note(head, pair)
    if listed:
        head.passed = [pair for pair in passed if pair[0] not in listed]
    return head


def is_set_aside(name: bytes) -> bool:
    """Whether a field of this name is neither among `passed` nor among `credentials`."""
    return name in _HANDLED or name in _FORWARDING or name.startswith(_FORWARDING_FAMILY)


def _note(head: RequestHead, pair: Pair) -> None:
    name, value = pair
    if name == b"content-length":
        head.content_length = value
    elif name == b"transfer-encoding":
        head.chunked = True
    elif name == b"x-request-id":
        head.request_id = value if SANE_ID(value) else b""
    elif name == b"traceparent":
        head.traceparent = value if _TRACEPARENT(value) else b""
    elif name == b"x-request-timeout-ms":
        head.timeout_ms = value
    elif name == b"te":
        head.trailers = b"trailers" in value.lower()
    elif name in _FORWARDING or name.startswith(_FORWARDING_FAMILY):
        if head.forwarding is None:
            head.forwarding = []
        head.forwarding.append(pair)
    elif name not in _HANDLED:
        head.passed.append(pair)
        _remember(name)


def _remember(name: bytes) -> None:
    """Clients may invent names: as many as fit, and none that is long, are remembered."""
    if len(name) <= _LONGEST_ORDINARY:
        if len(_ordinary) >= _MAX_ORDINARY:
            _ordinary.clear()
        _ordinary.add(name)


def apply(ops: HeaderOps, pairs: Iterable[Pair]) -> list[Pair]:
    """A route's `request_headers` or `response_headers`: remove, then set (replacing), then add."""
    dropped = ops.dropped
    kept = [pair for pair in pairs if pair[0] not in dropped]
    kept += ops.set
    kept += ops.add
    return kept


_ADDED: Final = frozenset({b"vary", b"set-cookie"})


def with_own(headers: Iterable[Pair], own: Pairs, *, instead_of: Container[bytes] = ()) -> list[Pair]:
    """`headers` and what the gateway says itself, which takes the place of fields of the same names.

    Vary and Set-Cookie are the exceptions: an answer may depend on what both say, and set what both want.
    `instead_of` are names that are dropped besides.
    """
    names = {name for name, _ in own} - _ADDED
    return [pair for pair in headers if pair[0] not in names and pair[0] not in instead_of] + [*own]


def connection_listed(value: bytes) -> set[bytes]:
    """The field names that a Connection header makes hop-by-hop (RFC 9110 section 7.6.1)."""
    names = {token.strip().lower() for token in value.split(b",")}
    return names - _NEVER_BY_CONNECTION


def response_headers(pairs: Iterable[Pair], added: Pairs = ()) -> list[Pair]:
    """The upstream's header fields without what was meant for this hop only, and without `X-Request-ID`.

    `added` are fields of `SAFETY_FIELDS`, for an upstream that does not say the same itself.
    """
    out: list[Pair] = []
    listed: set[bytes] | None = None
    for pair in pairs:
        name = pair[0]
        if name not in _RESPONSE_HANDLED:
            out.append(pair)
        elif name in SAFETY_FIELDS:
            out.append(pair)
            added = [other for other in added if other[0] != name]
        elif name == b"connection" and pair[1] not in _HARMLESS_CONNECTION:
            listed = (listed or set()) | connection_listed(pair[1])
    if listed:
        out = [pair for pair in out if pair[0] not in listed]
    out.extend(added)
    return out


SAFETY_FIELDS: Final = frozenset(
    {b"x-content-type-options", b"x-frame-options", b"referrer-policy", b"strict-transport-security"}
)


_RESPONSE_HANDLED: Final = (
    (HOP_BY_HOP - {b"trailer", b"proxy-authenticate"}) | SAFETY_FIELDS | {b"x-request-id", b"traceparent"}
)
