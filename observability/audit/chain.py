"""P: The chain of the audit trail: the bytes of an event, its hash over the one before, and where a chain breaks."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

GENESIS: Final = "0" * 64
"""What the first event follows."""


class Link(NamedTuple):
    """One kept row: its number, its canonical content, the hash before it and its own; what its columns say."""

    number: int
    content: str
    previous: str
    hash: str
    columns: Mapping[str, Any]


class Break(NamedTuple):
    """The first row that is not as it was written."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class Verified:
    """How many rows are in order, and the newest one's number and hash."""

    count: int
    number: int
    hash: str


def canonical(content: Mapping[str, Any]) -> str:
    """One text for one content: JSON with sorted keys and no spaces. Raises TypeError for what is no JSON."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()


def hash_of(previous: str, content: str) -> str:
    """SHA-256 over the previous hash's bytes and the content's UTF-8, in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(previous) + content.encode()).hexdigest()


def check(links: Iterable[Link]) -> Iterator[Verified | Break]:
    """After each row what holds so far, or the first break, which is the last thing said."""
    state = Verified(0, 0, GENESIS)
    for link in links:
        if why := _wrong_with(link, state):
            yield Break(link.number, why)
            return
        state = Verified(state.count + 1, link.number, link.hash)
        yield state


def _wrong_with(link: Link, state: Verified) -> str:
    if link.number != state.number + 1:
        return f"it follows {state.number}: what was between them, or their order, is lost"
    if link.previous != state.hash:
        return "it does not follow the row before it"
    if hash_of(state.hash, link.content) != link.hash:
        return "its content is not what its hash was made of"
    try:
        said = orjson.loads(link.content)
    except orjson.JSONDecodeError:
        return "its content is not JSON"
    wrong = [name for name, value in link.columns.items() if said.get(name) != value]
    return f"its columns differ from its content: {', '.join(wrong)}" if wrong else ""
