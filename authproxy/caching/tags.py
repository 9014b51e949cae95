"""P: The tags of an answer, by which it can be purged: its Cache-Tag and Surrogate-Key, and those of its route."""

import re
from collections.abc import Iterable
from typing import Final

from authproxy.headers import Pairs

MOST: Final = 64
LONGEST: Final = 200
_FIELDS: Final = frozenset({b"cache-tag", b"surrogate-key"})
_SEPARATORS: Final = re.compile(r"[\s,]+")


def tags_of(headers: Pairs, own: Iterable[str] = ()) -> tuple[str, ...] | None:
    """Each once, in lower case, as purges compare them. None: there are more than can be kept, or longer ones, and an
    answer that could not be purged by all of its tags is not kept."""
    found = {tag.lower(): None for tag in own}
    for name, value in headers:
        if name in _FIELDS:
            found |= {tag: None for tag in _SEPARATORS.split(value.decode("latin-1").lower()) if tag}
    if len(found) > MOST or any(len(tag) > LONGEST for tag in found):
        return None
    return tuple(found)
