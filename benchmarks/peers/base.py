"""P: What a peer is: how to write its configuration and how to start it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Site:
    """Where one peer lives during a run: its own empty folder, its port, and the upstream's port."""

    folder: Path
    port: int
    upstream_port: int


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start it; one process or one worker, no access log, connections to the upstream kept open."""

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ready_path: str = "/"


@dataclass(frozen=True, slots=True)
class Peer:
    """A proxy to measure. `prepare` writes configuration into the site and raises BenchmarkError if the peer
    is not installed; `version` is what the results call it."""

    name: str
    prepare: Callable[[Site], Launch]
    version: Callable[[], str]
