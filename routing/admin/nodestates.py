"""P: How a worker stands, from what it last reported."""

from enum import StrEnum
from typing import Final

SILENT_AFTER_S: Final = 15.0  # three reports missed


class Standing(StrEnum):
    """What people want to know of a worker."""

    CURRENT = "current"
    BEHIND = "behind"
    FAILING = "failing"
    SILENT = "silent"


def standing(*, revision: int | None, newest: int | None, error: str, silence_s: float) -> Standing:
    """The standing of a worker that serves `revision` while `newest` is live."""
    if silence_s > SILENT_AFTER_S:
        return Standing.SILENT
    if error:
        return Standing.FAILING
    return Standing.CURRENT if revision == newest else Standing.BEHIND
