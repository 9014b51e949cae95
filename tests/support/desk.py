"""I: An authenticator with the callers that it asks, and one identity provider."""

from collections.abc import Awaitable
from typing import Any

from authproxy.authenticate import Answer, Authenticator
from authproxy.changes import Changes
from authproxy.credentials import METHODS
from authproxy.identity import Method
from authproxy.memory import Accepted
from routing.snapshot import CompiledProvider
from tests.support.callers import Callers, Clock, authenticator

AZURE = CompiledProvider(
    name="azure", issuers=frozenset({"https://a.test"}), audiences=frozenset(), jwks_url="https://a.test/keys",
    discovery_url=None, secret=None, cookie="access_token", algorithms=frozenset({"RS256"}),
)  # fmt: skip
PROVIDERS = (AZURE,)


class Desk:
    """An authenticator with the callers that it asks."""

    def __init__(self, **more: Any) -> None:
        self.callers = Callers()
        self.clock = Clock()
        self.changes = Changes()
        self.authenticator: Authenticator = authenticator(
            self.callers, changes=self.changes, clock=self.clock, **more
        )

    async def ask(
        self,
        *pairs: tuple[bytes, str],
        methods: tuple[Method, ...] = METHODS,
        providers: tuple[CompiledProvider, ...] = PROVIDERS,
    ) -> Answer:
        fields = [(name, value.encode()) for name, value in pairs]
        answer = self.authenticator.identify(fields, methods, providers)
        return await answer if isinstance(answer, Awaitable) else answer

    def recalled(
        self, pair: tuple[bytes, str], providers: tuple[CompiledProvider, ...] = PROVIDERS
    ) -> str | None:
        """Who that is at first sight."""
        seen = self.authenticator.recall((pair[0], pair[1].encode()), providers)
        return seen and seen.identity.consumer

    async def consumer(self, *pairs: tuple[bytes, str], **more: Any) -> str:
        """Who that is, or why it is nobody."""
        answer = await self.ask(*pairs, **more)
        return answer.identity.consumer if isinstance(answer, Accepted) else answer
