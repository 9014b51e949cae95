"""P: A published revision as a value: what the watcher hands over, and what is kept for bad days."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RevisionRecord:
    """One revision, whole. `number` 0 is a file that was never published."""

    number: int
    digest: str
    document: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NodeState:
    """What one worker serves. `since_s` is epoch seconds; `error` says why a newer revision does not run."""

    revision: int | None = None
    since_s: float | None = None
    error: str = ""


def checksum(text: str) -> str:
    """SHA-256 of a stored text, to notice a torn or edited file."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
