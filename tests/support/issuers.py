"""I: An issuer of keys in virtual time."""

import asyncio

from authproxy.keyset import Fetched
from tests.support.jose import jwk, jwks
from tests.support.virtualtime import clock


class Issuer:
    """Publishes keys; may be slow, broken or away."""

    def __init__(self, *kids: str) -> None:
        self.kids = list(kids)
        self.takes_s = 0.0
        self.error: Exception | None = None
        self.body: bytes | None = None
        self.cache_control = ""
        self.asked_at: list[float] = []

    async def __call__(self, url: str) -> Fetched:
        self.asked_at.append(clock())
        body = jwks(*[jwk("ES256", "one", kid=kid) for kid in self.kids]) if self.body is None else self.body
        await asyncio.sleep(self.takes_s)
        if self.error is not None:
            raise self.error
        return Fetched(body, self.cache_control)
