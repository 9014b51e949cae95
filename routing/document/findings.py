"""P: What a check found in one entry, with the place relative to the entry."""

from collections.abc import Iterator
from typing import NamedTuple

from routing.problems import Problem, as_written, format_path, quote

Location = tuple[str | int, ...]


class Finding(NamedTuple):
    """A problem or a warning (by its id) at a place inside an entry."""

    id: str
    location: Location
    message: str
    value: object = None

    @property
    def is_warning(self) -> bool:
        return self.id.startswith("gateway.W")

    def problem(self, prefix: Location) -> Problem:
        """The finding as a Problem of the whole document."""
        value = self.value
        shown = as_written(value) if isinstance(value, str) else value
        is_scalar = shown is None or isinstance(shown, str | int | float)
        return Problem(
            self.id, format_path((*prefix, *self.location)), self.message, shown if is_scalar else None
        )


def repeated(values: object, location: Location, *below: str) -> Iterator[Finding]:
    """Texts of a list that are there twice; `below` is the key of the text in an item that is a mapping."""
    if not isinstance(values, list) or len(values) < 2:
        return
    seen: dict[str, int] = {}
    for index, value in enumerate(values):
        if isinstance(value, str) and seen.setdefault(value, index) != index:
            yield Finding("gateway.E032", (*location, index, *below), f"{quote(value)} is there twice", value)
