"""P: The cells of the main table."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.summary import Sample

PAYLOAD_NAMES = ("200 B", "10 kB", "POST 1 kB")
CONNECTIONS = (1, 32, 256)


@dataclass(frozen=True, slots=True)
class Cell:
    """One payload at one number of connections."""

    payload: str
    connections: int
    rounds: int
    duration_s: int

    @property
    def title(self) -> str:
        return f"{self.payload}, {self.connections} connection{'s' if self.connections > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Measured:
    """All samples of one cell: peer name -> one sample for each round, in order."""

    cell: Cell
    samples: dict[str, list[Sample]]


def cells(payloads: Sequence[str], connections: Sequence[int], *, rounds: int, duration_s: int) -> list[Cell]:
    """The bare route gets all rounds, the other payloads at most three."""
    return [
        Cell(payload, count, rounds if payload == PAYLOAD_NAMES[0] else min(3, rounds), duration_s)
        for payload in payloads
        for count in connections
    ]


def quick_cells() -> list[Cell]:
    """The bare route within a minute: thorough at 32 connections, brief at 1 and 256."""
    return [Cell("200 B", 32, rounds=5, duration_s=2), Cell("200 B", 1, 3, 1), Cell("200 B", 256, 3, 1)]
