"""P: Which of the gateway's own keys verify now, and which one signs. Times are in epoch seconds.

    made          activates               the next one activates    retires
      ├─ verifies ───┼─ signs and verifies ──────────┼─ verifies ──────┤

A key verifies everywhere before the first token is signed with it, and until the last such token has expired.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from authproxy import signatures
from authproxy.signatures import SYMMETRIC, Key

LEAD_S: Final = 10.0
"""From making a key to signing with it: workers learn of it within a second, other gateways a little later."""


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A key made by rotation. `material` is the HS secret, or the private key as PEM."""

    kid: str
    algorithm: str
    material: bytes = field(repr=False)
    activates_at: float
    retires_at: float | None
    key: Key = field(repr=False, compare=False)

    @classmethod
    def read(
        cls, kid: str, algorithm: str, material: bytes, activates_at: float, retires_at: float | None = None
    ) -> Self:
        """Raises UnusableKey."""
        make = signatures.secret_key if algorithm in SYMMETRIC else signatures.private_key
        return cls(kid, algorithm, material, activates_at, retires_at, make(material, algorithm, kid=kid))


@dataclass(frozen=True, slots=True)
class Schedule:
    """What holds until `until`."""

    keys: tuple[Key, ...]
    signing: Key | None
    until: float


def schedule(
    kept: Iterable[KeptKey], *, derived: Key | None, algorithm: str, now: float, longest_s: float
) -> Schedule:
    """`derived` is the key that signs before there is another; `longest_s` is the longest life of a token."""
    alive = [key for key in kept if key.retires_at is None or now < key.retires_at]
    ours = sorted((key for key in alive if key.algorithm == algorithm), key=lambda key: key.activates_at)
    active = [key for key in ours if key.activates_at <= now]
    edges = [edge for key in alive for edge in (key.activates_at, key.retires_at) if edge is not None]
    signing = active[-1].key if active else derived or (ours[0].key if ours else None)
    keys = tuple(key.key for key in alive)
    if derived is not None:
        end = min((key.activates_at for key in ours), default=float("inf")) + longest_s
        edges.append(end)
        if now < end:
            keys = (*keys, derived)
    return Schedule(keys, signing, min((edge for edge in edges if edge > now), default=float("inf")))
