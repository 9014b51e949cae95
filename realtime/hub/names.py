"""I: Which user has which name of a connection, on all workers: what is published to a name reaches nobody else.

While Redis is away each worker knows its own; events do not cross workers then either.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from resilience.stores.connection import Away, RedisLink

HELD_MS: Final = 90_000
"""From when a name was held or kept last; its user may take it again at any time."""


class Names:
    """`prefix` is the installation's."""

    def __init__(self, link: RedisLink, *, prefix: str) -> None:
        self._link = link
        self._prefix = prefix

    async def hold(self, name: str, owner: str) -> bool:
        """Whether the owner has it now. Bounded in time."""
        key, mark = self._prefix + name, _mark(owner)
        if await self._link.call("SET", key, mark, "NX", "PX", HELD_MS) is not None:
            return True  # or Redis is away
        whose = await self._link.call("GET", key)
        return whose is None or isinstance(whose, Away) or whose == mark.encode()

    async def keep(self, names: Iterable[str]) -> None:
        """They are in use still."""
        for name in names:
            await self._link.call("PEXPIRE", self._prefix + name, HELD_MS)


def _mark(owner: str) -> str:
    return blake2b(owner.encode(), digest_size=12).hexdigest()
