"""P: Origins of pages, as CORS policies name them (RFC 6454 section 6.2, Fetch standard section 3.2.1)."""

import re
from typing import Annotated, Final

from pydantic import PlainValidator
from pydantic import WithJsonSchema as JsonSchema

from routing.document.base import refusal
from routing.document.scalars import FILLABLE
from routing.problems import quote

ANY: Final = "*"
_LONGEST: Final = 300
_USUAL_PORTS: Final = {"http": "80", "https": "443"}
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_ORIGIN: Final = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<below>\*\.)?"
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{{0,4}}))?"
)


def parse_origin(value: object) -> str:
    """`https://app.example.com`, `http://localhost:3000`, `https://*.example.com`, or `*`; as browsers spell them."""
    if value == ANY:
        return ANY
    text = value if isinstance(value, str) else ""
    found = _ORIGIN.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise refusal("gateway.E040", f"{quote(value)} is not an origin{_hint(text)}")
    scheme, below, host, port = found.group("scheme", "below", "host", "port")
    if port is not None and port == _USUAL_PORTS.get(scheme):
        better = text.removesuffix(f":{port}")
        raise refusal(
            "gateway.E040", f'browsers leave the usual port out; say "{better}", not {quote(value)}'
        )
    if below and (host.startswith("[") or ("." not in host and host != "localhost")):
        raise refusal("gateway.E040", f"{quote(value)} would let everybody in below {quote(host)}")
    return text


def _hint(text: str) -> str:
    if text == "null":
        return ": it stands for any sandboxed page, whoever made it"
    better = text.lower().rstrip("/")
    if better != text and _ORIGIN.fullmatch(better):
        return f'; say "{better}"'
    if better and "://" not in better and _ORIGIN.fullmatch(f"https://{better}"):
        return f'; say "https://{better}"'
    return " such as https://app.example.com, https://*.example.com or *"


Origin = Annotated[
    str,
    PlainValidator(parse_origin),
    JsonSchema(
        {
            "type": "string",
            "pattern": rf"^(\*|[a-z][a-z0-9+.-]*://[^/A-Z ]+)$|{FILLABLE}",
            "examples": ["https://app.example.com", "https://*.example.com"],
        }
    ),
]
