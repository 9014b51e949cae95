"""I: Secrets that the document names by the path of a file."""

import logging
import os
from typing import Final

LONGEST: Final = 64 * 1024
_log = logging.getLogger(__name__)


def read_secret(path: str) -> str | None:
    """The text of a file without the line end that editors leave; None, and a warning, if there is none."""
    try:
        with open(path, "rb", opener=_open) as file:
            text = file.read(LONGEST + 1).decode("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a text"
        _log.warning("the secret in %s cannot be read: %s", path, why)
        return None
    if not text or len(text) > LONGEST:
        _log.warning("the secret in %s is %s", path, "empty" if not text else "too long")
        return None
    return text


def _open(path: str, flags: int) -> int:
    """A pipe that nobody writes to must not hold up a worker that compiles."""
    return os.open(path, flags | os.O_NONBLOCK)
