"""P: Values that go on the wire: methods, header names and values, hosts, URLs of targets.

Grammar: RFC 9110 sections 5.1, 5.5 and 9.1; RFC 3986 section 3.2.2.
"""

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import PlainValidator
from pydantic import WithJsonSchema as JsonSchema
from pydantic_core import PydanticCustomError

from routing.document.base import refusal
from routing.document.scalars import FILLABLE
from routing.hosts import punycode
from routing.problems import did_you_mean, quote

COMMON_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
# Framing and connection management are the gateway's own (RFC 9110 sections 7.6.1 and 8.6).
OWNED_HEADERS: Final = frozenset(
    [
        "connection",
        "content-length",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
TARGET_SCHEMES: Final = ("http", "https", "unix")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_HEADER_VALUE: Final = re.compile(r"[\t -~]{0,8192}")
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_WEB_URL: Final = re.compile(r"[!-~]{1,2000}")


def is_token(text: str) -> bool:
    """Whether a text is a token (RFC 9110 section 5.6.2), as names of methods and headers are."""
    return _TOKEN.fullmatch(text) is not None


def parse_method(value: object) -> str:
    """A method is a token and its case matters; ours are in capitals."""
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise refusal("gateway.E017", f"{quote(value)} is not a method such as GET")
    if value != value.upper():
        raise refusal(
            "gateway.E017", f'methods are written in capitals; say "{value.upper()[:40]}", not {quote(value)}'
        )
    return str(value)


def parse_header_name(value: object) -> str:
    """A field name: a token. As written; comparisons ignore its case."""
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise refusal("gateway.E018", f"{quote(value)} is not a header name")
    return str(value)


def parse_set_name(value: object) -> str:
    """A header name that a route may set, add or remove."""
    name = parse_header_name(value)
    if name.lower() in OWNED_HEADERS:
        raise refusal("gateway.E018", f'"{name}" frames the message and belongs to the gateway')
    return name


def parse_header_value(value: object) -> str:
    """A field value: visible ASCII, spaces and tabs inside; so no CR, LF or NUL can be smuggled in."""
    if not isinstance(value, str):
        # The value itself is not shown: it may be a credential.
        raise refusal("gateway.E019", "must be a text; put it in quotes")
    if not _HEADER_VALUE.fullmatch(value):
        raise refusal(
            "gateway.E019", "is not a header value: up to 8192 visible ASCII characters, no line breaks"
        )
    if value != value.strip(" \t"):
        raise refusal("gateway.E019", "a header value neither begins nor ends with a space")
    return str(value)


def parse_host(value: object) -> str:
    """`api.example.com`, `*.example.com`, `127.0.0.1` or `[::1]`, in lower case and without a port."""
    if not isinstance(value, str):
        raise refusal("gateway.E016", f"must be a text, not {quote(value)}")
    if value.startswith("[") or value.count(":") > 1:
        return _parse_ipv6_host(value)
    if _HOST.fullmatch(value) and len(value) <= 253:
        return str(value)
    raise _host_refusal(value)


def parse_server_name(value: object) -> str:
    """A host that is one host: no wildcard."""
    host = parse_host(value)
    if host.startswith("*"):
        raise refusal("gateway.E016", f"{quote(value)} must be one host, without a wildcard")
    return host


def parse_authority(value: object) -> str:
    """A host with an optional port, for a `Host` header."""
    if not isinstance(value, str):
        raise refusal("gateway.E016", f"must be a text, not {quote(value)}")
    host, colon, port = value.rpartition(":")
    if colon and not value.endswith("]") and value.count(":") - host.count(":") == 1 and port.isdigit():
        if not 1 <= int(port[:9]) <= 65535:
            raise refusal("gateway.E016", f"{quote(value)} has a port outside 1 to 65535")
        if ":" not in host or host.endswith("]"):
            return f"{parse_server_name(host)}:{int(port)}"
    return parse_server_name(value)


def _parse_ipv6_host(value: str) -> str:
    inner = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    try:
        address = str(IPv6Address(inner))
    except (AddressValueError, ValueError):
        if re.fullmatch(r"\[[^\]]*\]:[0-9]*", value):
            raise refusal("gateway.E016", f"{quote(value)} has a port; hosts are written without") from None
        raise refusal("gateway.E016", f"{quote(value)} is not a host") from None
    if value != f"[{address}]" or "%" in address:
        raise refusal("gateway.E016", f'{quote(value)} must be spelled "[{address.partition("%")[0]}]"')
    return str(value)


def _host_refusal(value: str) -> PydanticCustomError:
    text = quote(value)
    if value in ("*", ""):
        reason = f"{text} is not a host; leave hosts out to match any host"
    elif "/" in value:
        reason = f"{text} must be a host alone, without scheme and path"
    elif re.search(r":[0-9]*$", value):
        reason = f'{text} has a port; say "{value.rpartition(":")[0][:100].lower()}"'
    elif _HOST.fullmatch(better := punycode(value).lower().rstrip(".")):
        reason = f'{text} must be spelled "{better}"'
    elif "*" in value:
        reason = f"{text}: a wildcard is the whole first label, such as *.example.com"
    else:
        reason = f"{text} is not a host"
    return refusal("gateway.E016", reason)


def parse_target_url(value: object) -> str:
    """`http://host[:port][/base]`, `https://…` or `unix:///path.sock`; no credentials, query or fragment."""
    if not isinstance(value, str):
        raise refusal("gateway.E020", f"must be a URL, not {quote(value)}")
    if not _WEB_URL.fullmatch(value):
        raise refusal(
            "gateway.E020", f"{quote(value)} is not a URL: spaces and non-ASCII characters must be encoded"
        )
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise refusal("gateway.E020", f"{quote(value)} has no valid host and port") from None
    _check_target_parts(value, url, port)
    return str(value)


def target_problem(value: object) -> str | None:
    """Why it is no target's URL; None where it is one."""
    try:
        parse_target_url(value)
    except PydanticCustomError as refused:
        return refused.message()
    return None


def _check_target_parts(value: str, url: SplitResult, port: int | None) -> None:
    text = quote(value)
    if url.scheme not in TARGET_SCHEMES or not value.startswith(f"{url.scheme}://"):
        guess = f'; say "http://{value}"' if re.fullmatch(r"[a-zA-Z0-9._-]+(:[0-9]+)?", value) else ""
        hint = guess or did_you_mean(url.scheme, TARGET_SCHEMES)
        raise refusal("gateway.E020", f"{text} must begin with http://, https:// or unix://{hint}")
    if "@" in url.netloc:
        raise refusal(
            "gateway.E020", "a target URL has no user name or password; set a request header instead"
        )
    if "?" in value or "#" in value:
        raise refusal("gateway.E020", f"{text} must not have a query or fragment")
    if url.scheme == "unix":
        if url.netloc or not url.path.strip("/") or "\\" in value:
            raise refusal(
                "gateway.E020", f"{text} must name a socket by its absolute path: unix:///run/app.sock"
            )
        return
    if port == 0 or url.netloc.endswith(":"):
        raise refusal("gateway.E020", f"{text} has no valid port")
    _check_target_host(text, url)
    if re.search(r"//|/\.{1,2}(?:/|$)|\\|%(?![0-9A-Fa-f]{2})|%2[fF]|%5[cC]|%00", url.path):
        raise refusal(
            "gateway.E020", f"{text}: the path must be plain, without //, . or .. segments or encoded slashes"
        )


def _check_target_host(text: str, url: SplitResult) -> None:
    host = url.hostname or ""
    try:
        fits = bool(IPv6Address(host)) if ":" in host else _HOST.fullmatch(host.rstrip(".")) is not None
    except ValueError:
        fits = False
    if not fits or "*" in host or "%" in url.netloc:
        raise refusal("gateway.E020", f"{text} has no valid host")


def parse_web_url(value: object) -> str:
    """An absolute http or https URL, as identity providers publish them."""
    if not isinstance(value, str) or not _WEB_URL.fullmatch(value):
        raise refusal("gateway.E037", f"{quote(value)} is not a URL")
    try:
        url = urlsplit(value)
        valid = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        valid = False
    if not valid or "@" in url.netloc:
        raise refusal("gateway.E037", f"{quote(value)} is not an http or https URL")
    return str(value)


def _described(pattern: str, *examples: str) -> JsonSchema:
    return JsonSchema({"type": "string", "pattern": f"{pattern}|{FILLABLE}", "examples": list(examples)})


Method = Annotated[
    str, PlainValidator(parse_method), _described("^[A-Z0-9!#$%&'*+.^_`|~-]+$", *COMMON_METHODS[:6])
]
HeaderName = Annotated[str, PlainValidator(parse_header_name), _described("^[!-~]+$", "x-tenant")]
SetHeaderName = Annotated[str, PlainValidator(parse_set_name), _described("^[!-~]+$", "X-Tenant")]
HeaderValue = Annotated[str, PlainValidator(parse_header_value), JsonSchema({"type": "string"})]
Host = Annotated[
    str, PlainValidator(parse_host), _described("^[^A-Z/]+$", "api.example.com", "*.example.com")
]
ServerName = Annotated[str, PlainValidator(parse_server_name), _described("^[^A-Z/*]+$", "api.internal")]
TargetUrl = Annotated[
    str,
    PlainValidator(parse_target_url),
    _described("^(https?|unix)://", "http://127.0.0.1:8001", "unix:///run/app.sock"),
]
WebUrl = Annotated[
    str,
    PlainValidator(parse_web_url),
    _described("^https?://", "https://login.example.com/.well-known/jwks.json"),
]
