"""P: Media types: which ones a list of them takes (RFC 9110 section 8.3.1). Lower case, without parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MediaTypes:
    """Types and ranges, such as image/png and image/*; an empty list takes any."""

    listed: tuple[str, ...] = ()
    exact: frozenset[str] = field(init=False)
    ranges: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        ranges = frozenset(each.removesuffix("/*") for each in self.listed if each.endswith("/*"))
        object.__setattr__(self, "exact", frozenset(self.listed))
        object.__setattr__(self, "ranges", ranges)

    def __bool__(self) -> bool:
        return bool(self.listed)

    def takes(self, media_type: str) -> bool:
        """Whether one type is among them."""
        return not self.listed or media_type in self.exact or media_type.partition("/")[0] in self.ranges

    def takes_any(self, media_types: Iterable[str]) -> bool:
        """Whether one of several names for the same is."""
        return any(map(self.takes, media_types))


ANY_TYPE = MediaTypes()


def is_json(media_type: str) -> bool:
    """RFC 6839 section 3.1: application/json, and what ends in +json."""
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")
