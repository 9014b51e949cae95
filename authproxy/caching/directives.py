"""P: Cache-Control, read as RFC 9111 section 5.2 has it: tokens, quoted strings, unknown directives. Nothing raises."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

Directives = Mapping[bytes, bytes | None]
"""By name in lower case; None for one that has no argument. Of one that comes twice the stricter, if it is a time."""

NOTHING: Final[Directives] = {}
LONGEST: Final = 4096
"""Of a field's value; what is beyond is not looked at, and the answer is not cached."""
MOST_S: Final = 1 << 31
"""What a number means that is too large (section 1.2.2)."""
UNREADABLE: Final[Directives] = {b"no-store": None}
_DIRECTIVE: Final = re.compile(
    rb"""(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)
    (?:[ \t]*=[ \t]*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s,"]*)))?
    [^,]*""",
    re.VERBOSE | re.DOTALL,
)
_GRANTS: Final = frozenset(
    {b"max-age", b"s-maxage", b"stale-while-revalidate", b"stale-if-error", b"max-stale"}
)
"""The less, the stricter; of the others (min-fresh) the more."""


def directives_of(values: Iterable[bytes]) -> Directives:
    """All Cache-Control fields of a message together."""
    joined = b",".join(values)
    return read(joined) if joined else NOTHING


def read(value: bytes) -> Directives:
    """The directives of one value. Too long a one counts as no-store."""
    return UNREADABLE if len(value) > LONGEST else _read(value)


@lru_cache(maxsize=1024)
def _read(value: bytes) -> Directives:
    found: dict[bytes, bytes | None] = {}
    for match in _DIRECTIVE.finditer(value):
        name = match["name"].lower()
        argument = match["token"] if match["quoted"] is None else re.sub(rb"\\(.)", rb"\1", match["quoted"])
        found[name] = _stricter(name, found[name], argument) if name in found else argument
    return found


def seconds(directives: Directives, name: bytes) -> int | None:
    """The argument as a whole number of seconds; None where it is not said. What is no number grants nothing: 0."""
    if name not in directives:
        return None
    return _number(directives[name])


def _number(argument: bytes | None) -> int:
    if argument is None or not argument.isdigit():
        return 0
    return min(int(argument), MOST_S) if len(argument) < 12 else MOST_S


def _stricter(name: bytes, one: bytes | None, other: bytes | None) -> bytes | None:
    if name in _GRANTS:
        return b"%d" % min(_limit(name, one), _limit(name, other))
    if one is None or other is None:  # `private` is more than `private="x"`
        return None
    return max(one, other, key=_number)


def _limit(name: bytes, argument: bytes | None) -> int:
    """`max-stale` without a number takes any age (section 5.2.1.2)."""
    return MOST_S if argument is None and name == b"max-stale" else _number(argument)
