"""P: What a check found in one entry, with the place relative to the entry."""

from typing import NamedTuple

from routing.problems import Problem, as_written, format_path

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
