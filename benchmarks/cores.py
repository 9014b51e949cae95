"""P: Which core each part runs on: the same plan for every peer."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """Core numbers; None: not pinned, because there is only one."""

    proxy: int | None
    load: int | None
    upstream: int | None


def plan(available: Sequence[int]) -> Cores:
    """The proxy has the last core to itself; the upstream has one of its own only where there are three."""
    ordered = sorted(available)
    if len(ordered) < 2:
        return Cores(None, None, None)
    return Cores(proxy=ordered[-1], load=ordered[0], upstream=ordered[1] if len(ordered) > 2 else ordered[0])


def pinned(command: Sequence[str], core: int | None) -> tuple[str, ...]:
    return tuple(command) if core is None else ("taskset", "--cpu-list", str(core), *command)
