"""I: How workers tell each other about targets over Redis: news at once, and a hash for those who come later."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from resilience.stores.breakers import Store, StoreAway
from resilience.stores.connection import Script
from resilience.verdicts import Verdict, pack, unpack

LOG = logging.getLogger(__name__)
KEPT_S: Final = 86_400
MOST_AT_ONCE: Final = 500
"""In one call, so that no call takes long."""
WRITE: Final = Script.of(
    """
for place = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[place], ARGV[place + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('PUBLISH', KEYS[2], ARGV[1])
"""
)
READ: Final = Script.of(
    """
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
return {found[1], found[2]}
"""
)
FORGET: Final = Script.of("return redis.call('HDEL', KEYS[1], unpack(ARGV))")


class SharedVerdicts:
    """One per worker. Its calls raise StoreAway; whoever calls tries again when there is something new to say."""

    def __init__(self, store: Store, *, prefix: str = "torana:") -> None:
        self._store = store
        self._hash = f"{prefix}{{health}}:verdicts"
        self._channel = f"{prefix}{{health}}:news"

    @property
    def is_up(self) -> bool:
        """Whether others can be told, and heard."""
        return self._store.is_up

    def listen(self, hear: Callable[[list[Verdict]], None], when_up: Callable[[], None]) -> None:
        """`hear` is told all news, one's own as well; `when_up`, that some may have been missed."""
        self._store.subscribe(self._channel, lambda message: hear(unpack(message)))
        self._store.when_up(when_up)
        self._store.start()

    async def stop(self) -> None:
        """Hears no more."""
        await self._store.stop()

    async def tell(self, verdicts: Sequence[Verdict]) -> None:
        """Everybody, now and later."""
        for start in range(0, len(verdicts), MOST_AT_ONCE):
            some = verdicts[start : start + MOST_AT_ONCE]
            fields = [part for each in some for part in (each.field, pack((each,)))]
            await self._store.run(WRITE, (self._hash, self._channel), (pack(some), str(KEPT_S), *fields))

    async def remembered(self) -> list[Verdict]:
        """All that was told and not forgotten."""
        found: dict[str, Verdict] = {}
        cursor = b"0"
        while True:
            cursor, parts = await self._store.run(READ, (self._hash,), (cursor, str(MOST_AT_ONCE)))
            found |= {each.field: each for part in parts[1::2] for each in unpack(part)}
            if int(cursor) == 0:
                return list(found.values())
            await asyncio.sleep(0)

    async def forget(self, fields: Iterable[str]) -> None:
        """Nobody checks these any more."""
        names = list(fields)
        for start in range(0, len(names), MOST_AT_ONCE):
            await self._store.run(FORGET, (self._hash,), names[start : start + MOST_AT_ONCE])


__all__ = ["SharedVerdicts", "StoreAway"]
