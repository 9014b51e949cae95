"""I: Callers for tests: a verifier and a store that know what they are told, and a gatekeeper that asks them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Literal

from authproxy import tickets
from authproxy.admission import Gatekeeper
from authproxy.authenticate import Authenticator, StoreAway
from authproxy.caching.cache import Cache
from authproxy.changes import Changes
from authproxy.grants import Roles
from authproxy.identity import Identity
from authproxy.limiting import Limiter
from authproxy.memory import Providers
from authproxy.mirroring import Mirrors
from authproxy.plan import Doors, prepare_route
from authproxy.security import SecurityEvent
from authproxy.steps import RoutePlan
from resilience.clock import wall_clock
from resilience.concurrency import LimitTable
from resilience.stores.memory import MemoryStore
from routing.snapshot import CompiledProvider, CompiledRoute

PEPPER = b"pepper"
NOW = 1_800_000_000.0


@dataclass(frozen=True)
class Refusal:
    reason: Literal["invalid", "expired", "unavailable"] = "invalid"


@dataclass
class Callers:
    """The verifier and the store at once; what they were asked is in `asked`."""

    tokens: dict[bytes, Identity | Refusal] = field(default_factory=dict)
    holders: dict[bytes, Identity] = field(default_factory=dict)
    """By API key or session cookie."""
    is_away: bool = False
    fetches: bool = False
    """Makes the verifier answer later, as if keys had to be fetched."""
    asked: list[bytes] = field(default_factory=list)
    uses: list[Identity] = field(default_factory=list)
    while_asked: Callable[[], None] = lambda: None

    def verify(
        self, token: bytes, providers: Providers, *, only: CompiledProvider | None = None
    ) -> Identity | Refusal | Awaitable[Identity | Refusal]:
        self.asked.append(token)
        answer = self.tokens.get(token, Refusal())
        if isinstance(answer, Identity) and only is not None and answer.provider != only.name:
            answer = Refusal()
        return _later(answer) if self.fetches else answer

    async def find(self, _brand: str, _prefix: str, presented: bytes) -> Identity | None:
        self.asked.append(presented)
        found = self.holders.get(presented)
        self.while_asked()
        if self.is_away:
            raise StoreAway
        return found

    def used(self, identity: Identity) -> None:
        self.uses.append(identity)

    def token(self, text: str, **known: Any) -> Identity:
        """Somebody who comes with the token `text`."""
        identity = Identity(**{"method": "jwt", "consumer": "ada", **known})
        self.tokens[text.encode()] = identity
        return identity

    def ticket(self, brand: str = tickets.API_KEY, **known: Any) -> tuple[str, Identity]:
        """A new API key or session cookie, and whom it stands for."""
        ticket = tickets.mint(brand, pepper=PEPPER, choice=Random(len(self.holders)).choice)
        method = "api_key" if brand == tickets.API_KEY else "session"
        identity = Identity(**{"method": method, "consumer": "bot", "seq": 0, **known})
        self.holders[ticket.text.encode()] = identity
        return ticket.text, identity


async def _later(answer: Identity | Refusal) -> Identity | Refusal:
    return answer


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


def authenticator(
    callers: Callers, *, changes: Changes | None = None, clock: Callable[[], float] | None = None, **more: Any
) -> Authenticator:
    """One that asks `callers`."""
    known = changes or Changes()
    return Authenticator(
        verifier=callers,
        store=callers,
        changes=known,
        pepper=PEPPER,
        wall_clock=clock or Clock(),
        **more,
    )


def gatekeeper(callers: Callers | None = None, **more: Any) -> Gatekeeper:
    """One that asks `callers`; nobody is known if there are none."""
    usual: dict[str, Any] = {"realm": "torana", "pepper": PEPPER, "mint": minted, "report": lambda _: None}
    return Gatekeeper(authenticator(callers or Callers()), **{**usual, **more})


def minted(identity: Identity, _roles: Roles, service: str) -> bytes | None:
    """Stands for a token of the gateway."""
    return f"{identity.consumer}-for-{service}".encode()


def planner(
    keeper: Gatekeeper | None = None,
    limiter: Limiter | None = None,
    cache: Cache | None = None,
    mirrors: Mirrors | None = None,
    **doors: Any,
) -> Callable[[CompiledRoute], RoutePlan]:
    """The compiler's hook."""
    limiter = limiter or Limiter(MemoryStore(), wall_clock=wall_clock)
    return partial(
        prepare_route,
        doors=Doors(
            keeper or gatekeeper(),
            limiter,
            crowds=LimitTable(),
            rng=Random(1),
            cache=cache or Cache(),
            mirrors=mirrors or Mirrors(),
            **doors,
        ),
    )


@dataclass
class Reports:
    """Keeps security events."""

    events: list[SecurityEvent] = field(default_factory=list)

    def __call__(self, event: SecurityEvent) -> None:
        self.events.append(event)
