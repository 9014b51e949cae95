"""P: Under what an answer is kept. Two requests have one key only where one answer is right for both.

A key is a tuple: the configuration that the answer was made under, whose it is, the URL, the values of the fields in
the policy's `vary`. Answers with a Vary of their own are kept under that key and those values of the request.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from authproxy.fieldlines import FieldLines
from authproxy.grants import Roles
from authproxy.headers import CREDENTIALS, Pair, Pairs
from authproxy.identity import Identity

URL = tuple[str, bytes, bytes, bytes]
"""Scheme, host in lower case, path as it is forwarded, query."""
Owner = tuple[Any, ...]
Values = tuple[bytes | None, ...]
EVERYBODY: Final[Owner] = ("everybody",)
"""Of answers that say themselves that they are public."""
NOBODY: Final[Owner] = ("nobody",)
"""Of requests without credentials."""


class Key(NamedTuple):
    """`owner` is whose the answer is; `values` are those of the policy's `vary`."""

    configuration: bytes
    owner: Owner
    url: URL
    values: Values = ()


Variant = tuple[Key, Values]
"""An answer with a Vary of its own: `values` of the fields that it lists, in their order."""


def owner_of(identity: Identity | None, roles: Roles, caller_fields: Pairs, *, is_minted: bool) -> Owner:
    """Whose answers a request with credentials may be given, and whose its answer is.

    Who the caller is, all that services are told of him, and every credential that they get to see themselves.
    `is_minted`: the Authorization that the service gets was made by the gateway, and may be another each time.
    """
    seen: tuple[Pair, ...] = ()
    if type(caller_fields) is not FieldLines:  # in which he is told of, and no credential goes on
        seen = tuple(
            pair
            for pair in caller_fields
            if pair[0] in CREDENTIALS and not (is_minted and pair[0] == b"authorization")
        )
    if identity is None:
        return ("unknown", seen)
    told = identity.fields(roles).lines
    return (identity.kind, identity.provider, identity.user_id, identity.consumer, identity.plan, told, seen)


def values_of(names: Iterable[bytes], *lists: Pairs) -> Values:
    """The request's value of each name, None where it has none; several are joined (RFC 9110 section 5.2)."""
    found: dict[bytes, bytes] = {}
    for pairs in lists:
        for name, value in pairs:
            found[name] = found[name] + b", " + value.strip() if name in found else value.strip()
    return tuple([found.get(name) for name in names])


def url_digest(url: URL) -> str:
    """The same for all answers of one URL: what a store finds them by, and forgets them by."""
    scheme, host, path, query = url
    text = b"%b %d %d %b%b%b" % (scheme.encode("ascii"), len(host), len(path), host, path, query)
    return blake2b(text, digest_size=16).hexdigest()


def key_digest(key: Key, values: Values | None = None) -> str:
    """For a store outside of the process. `values` of None is the key itself, which may only say how answers vary."""
    return _rest_digest(key.configuration, key.owner, key.values, values)


@lru_cache(maxsize=4096)
def _rest_digest(configuration: bytes, owner: Owner, own: Values, values: Values | None) -> str:
    """Of all but the URL, which is the same for many."""
    return _short(repr((configuration, owner, own, values)))


def configuration_of(parts: Mapping[str, Any]) -> bytes:
    """What distinguishes one configuration of a route from another, the same in each process."""
    return _digest(tuple(sorted(parts.items()))).encode("ascii")


def _short(text: str) -> str:
    """Of the `repr` of tuples, texts, bytes and None: it is unambiguous, the same in each process, and quickly made."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _digest(value: object) -> str:
    hashed = blake2b(digest_size=16)
    for piece in _pieces(value):
        hashed.update(b"%d:" % len(piece))
        hashed.update(piece)
    return hashed.hexdigest()


def _pieces(value: object) -> Iterable[bytes]:
    """Unambiguous: each piece says what it is, and lists say how long they are."""
    if isinstance(value, tuple | list):
        yield b"(%d" % len(value)
        for item in value:
            yield from _pieces(item)
    elif isinstance(value, Mapping):
        yield from _pieces(tuple(sorted(value.items())))
    elif isinstance(value, frozenset | set):
        yield from _pieces(tuple(sorted(value)))
    elif is_dataclass(value):
        yield type(value).__name__.encode()
        yield from _pieces(
            tuple((each.name, getattr(value, each.name)) for each in fields(value) if each.compare)
        )
    elif isinstance(value, re.Pattern):
        yield from _pieces(("pattern", value.pattern, value.flags))
    elif isinstance(value, bytes):
        yield b"b" + value
    else:
        yield type(value).__name__.encode() + str(value).encode("utf-8", "surrogatepass")
