"""I: A lease in Redis: a key that its holder renews, and that is gone soon after its holder."""

from typing import Final

from resilience.stores.connection import Away, RedisLink, Script

TAKE: Final = Script.of(
    """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
)
RELEASE: Final = Script.of(
    """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
)


class RedisLease:
    """`name` is what is led. The link is started and stopped by whoever made it."""

    def __init__(self, link: RedisLink, name: str, *, prefix: str = "torana:") -> None:
        self._link = link
        self._key = f"{prefix}lease:{name}"

    async def take(self, holder: str, ttl_s: float) -> bool | None:
        """Takes or renews it; None: Redis is away."""
        answer = await self._link.run(TAKE, (self._key,), (holder, round(ttl_s * 1000)))
        return None if isinstance(answer, Away) else bool(answer)

    async def release(self, holder: str) -> None:
        """Gives it back; if Redis is away it ends by itself."""
        await self._link.run(RELEASE, (self._key,), (holder,))
