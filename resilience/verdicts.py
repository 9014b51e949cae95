"""P: What one node tells others about a target: how it stands, in one line of JSON."""

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from resilience.health import Standing


class Verdict(NamedTuple):
    """A target's standing, and which node says so."""

    service: str
    target: str
    node: str
    standing: Standing

    @property
    def field(self) -> str:
        """Its name among all that is remembered."""
        return field_of(self.service, self.target)


def field_of(service: str, target: str) -> str:
    """No name of a service has a space."""
    return f"{service} {target}"


def pack(verdicts: Iterable[Verdict]) -> bytes:
    """One message of any number of verdicts."""
    return orjson.dumps([(each.service, each.target, each.node, tuple(each.standing)) for each in verdicts])


def unpack(message: bytes) -> list[Verdict]:
    """What it says; nothing, if it makes no sense: another version may have sent it."""
    try:
        return [
            Verdict(str(service), str(target), str(node), _standing(*standing))
            for service, target, node, standing in orjson.loads(message)
        ]
    except (ValueError, TypeError):
        return []


def _standing(
    healthy: bool | None, since: float, run: int, ok: bool, why: str, status: int, latency_s: float, at: float
) -> Standing:
    known = bool(healthy) if healthy is not None else None
    return Standing(
        known, float(since), int(run), bool(ok), str(why), int(status), float(latency_s), float(at)
    )
