"""P: YAML with anchors, aliases and merge keys, as others write their documents; the gateway's own have none.

A value that several places share is one object: whoever reads it pays for each place, so how much all of it comes to,
written out, is bounded.
"""

from typing import Any, Final

import yaml

from routing.document.interpolation import MAX_DEPTH
from routing.document.yaml import EventReader, at, parse_text, refused

MOST_VALUES: Final = 1_000_000
"""That aliases may come to in a document."""


def parse_foreign(text: str | bytes) -> Any:
    """`parse_text` of a document that somebody else's program reads. Raises ConfigurationInvalid."""
    return parse_text(text, AnchorReader)


class AnchorReader(EventReader):
    """Knows what was anchored before; a value that holds itself is refused."""

    __slots__ = ("_anchored", "_sizes", "_written_out")

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._anchored: dict[str, Any] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._written_out = 0

    def value(self, event: Any, depth: int) -> Any:
        if type(event) is yaml.AliasEvent:
            return self._shared(event, depth)
        anchor, event.anchor = event.anchor, None
        found = super().value(event, depth)
        if anchor is not None:
            self._anchored[anchor] = found
        return found

    def merged(self, event: Any, depth: int) -> dict[str, Any]:
        """Of several mappings the first one that has a key gives its value."""
        found = self.value(self.next(), depth + 1)
        listed = found if isinstance(found, list) else [found]
        if not all(isinstance(each, dict) for each in listed):
            raise refused(f"{at(event.start_mark)}: << wants a mapping, or a list of them")
        return {key: value for each in reversed(listed) for key, value in each.items()}

    def _shared(self, event: Any, depth: int) -> Any:
        if event.anchor not in self._anchored:
            raise refused(f"{at(event.start_mark)}: *{event.anchor} is not there yet, or holds itself")
        found = self._anchored[event.anchor]
        size, height = self._measured(found)
        self._written_out += size
        if self._written_out > MOST_VALUES or depth + height > MAX_DEPTH:
            message = f"{at(event.start_mark)}: *{event.anchor} makes the document too large or too deep"
            raise refused(message, problem_id="gateway.E033")
        return found

    def _measured(self, found: Any) -> tuple[int, int]:
        """How many values it has, written out, and how many of them are inside each other."""
        if not isinstance(found, dict | list):
            return 1, 0
        if id(found) not in self._sizes:  # what is anchored lives as long as this reader
            inner = [self._measured(each) for each in (found.values() if isinstance(found, dict) else found)]
            deepest = max((height for _, height in inner), default=0)
            self._sizes[id(found)] = 1 + sum(size for size, _ in inner), 1 + deepest
        return self._sizes[id(found)]
