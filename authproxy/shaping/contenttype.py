"""P: What a request says of its body: media type, charset, boundary, coding (RFC 9110 sections 8.3 and 8.4)."""

import re
from typing import Final, NamedTuple

from authproxy.headers import Pairs

_TYPE: Final = re.compile(r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?=;|$)")
_PARAMETER: Final = re.compile(
    r"""[ \t]*;[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)"))?"""
)
_ESCAPE: Final = re.compile(r"\\(.)")
_UTF8: Final = ("utf-8", "utf8", "us-ascii")


class ContentType(NamedTuple):
    """A media type in lower case, and its parameters by their names in lower case."""

    media_type: str
    parameters: dict[str, str]

    @property
    def is_utf8(self) -> bool:
        """Whether the text is UTF-8, which JSON is where nothing is said (RFC 8259 section 8.1)."""
        return self.parameters.get("charset", "utf-8").lower() in _UTF8


def parse_content_type(value: str) -> ContentType | None:
    """A field's value; None where it is malformed or says something twice, which readers take differently."""
    found = _TYPE.match(value)
    if found is None:
        return None
    parameters: dict[str, str] = {}
    at = found.end()
    while at < len(value):
        parameter = _PARAMETER.match(value, at)
        if parameter is None:
            return None if value[at:].strip(" \t") else ContentType(found[1].lower(), parameters)
        name, token, quoted = parameter.groups()
        if name is not None:
            if name.lower() in parameters:
                return None
            parameters[name.lower()] = _ESCAPE.sub(r"\1", quoted) if token is None else token
        at = parameter.end()
    return ContentType(found[1].lower(), parameters)


class Described(NamedTuple):
    """The fields that speak of a body."""

    content_type: bytes | None
    is_coded: bool
    """Compressed, or otherwise not as it is meant to be read."""
    is_ambiguous: bool
    """Content-Type came twice."""


def described(fields: Pairs) -> Described:
    """One pass over the request's header fields."""
    content_type: bytes | None = None
    is_coded = is_ambiguous = False
    for name, value in fields:
        if name == b"content-type":
            is_ambiguous = content_type is not None
            content_type = value
        elif name == b"content-encoding":
            is_coded = is_coded or value.strip().lower() not in (b"", b"identity")
    return Described(content_type, is_coded, is_ambiguous)
