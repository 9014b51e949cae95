"""P: Requests as they may be kept: no credential, no body, and no more than fits.

What a field or a parameter is called decides: everything whose name speaks of a secret is masked, and whatever
operators name besides. A masked value is `MASK`, so that it is seen that there was one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from authproxy.headers import CREDENTIALS, Pair

MASK: Final = "…"
MOST_FIELDS: Final = 60
LONGEST_VALUE: Final = 500
LONGEST_QUERY: Final = 2000
MOST_PARAMETERS: Final = 200
_ALWAYS: Final = CREDENTIALS | {b"proxy-authorization", b"set-cookie", b"x-csrftoken"}
_SECRET_FIELD: Final = re.compile(
    r"token|secret|passw|credential|signature|(^|[-_])(api|access)?key$|auth"
).search
_SECRET_PARAMETER: Final = re.compile(
    r"token|secret|passw|pwd|credential|signature|^(sig|code|otp|auth|assertion|state|ticket|jwt|session)$"
    r"|(^|[-_])(api|access)?[-_]?key$"
).search
Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Masking:
    """`also` are further names of header fields and parameters, in lower case."""

    also: frozenset[str] = field(default_factory=frozenset)

    def fields(self, pairs: Iterable[Pair]) -> Fields:
        """Header fields, as texts; at most MOST_FIELDS."""
        found: Fields = []
        for name, value in pairs:
            if len(found) >= MOST_FIELDS:
                break
            found.append((name.decode("latin-1"), self._value(name, value)))
        return found

    def query(self, raw: bytes) -> str:
        """A query as it was sent, but for the values of secret parameters."""
        text = raw[: LONGEST_QUERY * 2].decode("latin-1")
        if not text:
            return ""
        parts = text.split("&", MOST_PARAMETERS)
        kept = "&".join(self._parameter(part) for part in parts[:MOST_PARAMETERS])
        return kept if len(kept) <= LONGEST_QUERY else f"{kept[: LONGEST_QUERY - 1]}…"

    def _value(self, name: bytes, value: bytes) -> str:
        shown = name.decode("latin-1").lower()
        if name in _ALWAYS or shown in self.also or _SECRET_FIELD(shown):
            return _scheme(value) + MASK
        text = value.decode("latin-1")
        address, mark, query = text.partition("?")
        if mark and self.query(query.encode("latin-1")) != query:  # Referer, and what else is an address
            return f"{address[: LONGEST_VALUE - 2]}?{MASK}"
        return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"

    def _parameter(self, part: str) -> str:
        name, equals, value = part.partition("=")
        lower = _unescaped(name).lower()
        if not value or not (lower in self.also or _SECRET_PARAMETER(lower)):
            return part
        return f"{name}{equals}{MASK}"


def is_masked(value: str) -> bool:
    """Whether the value that was sent is not what is kept."""
    return value.endswith(MASK)


def _scheme(value: bytes) -> str:
    """`Bearer ` of an Authorization field is no secret, and tells what was tried."""
    word, space, _ = value.partition(b" ")
    return f"{word.decode('ascii')} " if space and word in (b"Bearer", b"Basic", b"ApiKey") else ""


def _unescaped(name: str) -> str:
    """Names may be percent-encoded to look like others."""
    if "%" not in name:
        return name
    return re.sub(r"%([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), name)
