"""I: Who calls? Credentials that were seen are answered from memory; others are verified or looked up.

    field ──▶ seen? ── yes ──▶ still good? ──▶ Accepted          (a dictionary, a comparison or two)
               │ no
               └──▶ jwt: TokenVerifier   ┐
                    api_key: IdentityStore ├──▶ an Identity, kept until it ends or changes
                    session: IdentityStore ┘

What is kept is bounded (`Memory`); what does not fit is looked up again. Refusals are not kept.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, Protocol

from authproxy import tickets
from authproxy.changes import Changes
from authproxy.credentials import Presented, Source, presented
from authproxy.headers import Pair, Pairs
from authproxy.identity import Identity, Method
from authproxy.memory import Accepted, Memory, Providers
from routing.snapshot import CompiledProvider

Failure = Literal["missing", "invalid", "expired", "unavailable"]
LONGEST_TRUST_IN_PROVIDERS_S: Final = 300.0
"""Then a provider's token is verified anew, with the keys that the provider has by then."""
_BRANDS: Final[dict[Method, str]] = {"api_key": tickets.API_KEY, "session": tickets.SESSION}
_SEVERITY: Final[tuple[Failure, ...]] = ("missing", "invalid", "expired", "unavailable")
QUIET_S: Final = 1.0
"""How often a use of the same key or session is noted at most."""
_LOOK_UPS: Final = 2
_SIGNING_KEYS: Final = "signing-keys"
_FOREVER: Final = float("inf")


class StoreAway(Exception):  # noqa: N818 - a state of the world, not an error in the program
    """The identity store cannot be asked now."""


class Refused(Protocol):
    """What a verifier says of a token that it does not accept."""

    @property
    def reason(self) -> Literal["invalid", "expired", "unavailable"]: ...


Verdict = Identity | Refused


class Verifier(Protocol):
    """Verifies tokens; only where keys must be fetched does it return something to wait for."""

    def verify(
        self, token: bytes, providers: Providers, *, only: CompiledProvider | None = None
    ) -> Verdict | Awaitable[Verdict]: ...


class IdentityStore(Protocol):
    """Where API keys and sessions are looked up."""

    async def find(self, brand: str, prefix: str, presented: bytes) -> Identity | None:
        """Whom a credential stands for; None if for nobody. Raises StoreAway."""

    def used(self, identity: Identity) -> None:
        """Takes note that a key or a session was used. It must be quick."""


class NoStore:
    """Where there is no database."""

    async def find(self, _brand: str, _prefix: str, _presented: bytes) -> Identity | None:
        raise StoreAway

    def used(self, identity: Identity) -> None:
        """Nobody is ever found here."""


Answer = Accepted | Failure


class Authenticator:
    """One worker's memory of who calls."""

    def __init__(
        self,
        *,
        verifier: Verifier,
        store: IdentityStore,
        changes: Changes,
        pepper: bytes,
        wall_clock: Callable[[], float],
        memory: Memory | None = None,
    ) -> None:
        self._verifier = verifier
        self._store = store
        self._changes = changes
        self._pepper = pepper
        self._now = wall_clock
        self.memory = Memory() if memory is None else memory
        self._find = self.memory.find
        changes.subscribe(self._forget_own_tokens)

    def recall(self, pair: Pair, providers: Providers) -> Accepted | None:
        """Who presents this header field, if it was seen since anything changed: the straight path of most requests.

        None says nothing: `identify` knows more.
        """
        seen = self._find(pair)
        if seen is None or seen.epoch != self._changes.epoch or seen.providers is not providers:
            return None
        now = self._now()
        if now >= seen.until:
            return None
        if now >= seen.quiet_until:
            self._note_use(seen, now)
        return seen

    def identify(
        self, pairs: Pairs, methods: Sequence[Method], providers: Providers
    ) -> Answer | Awaitable[Answer]:
        """Who presents the credentials of `pairs`, by one of `methods`; something to wait for if they are new."""
        found = presented(pairs, methods, providers)
        if not found:
            return "missing"
        first = found[0]
        seen = self._recall(first.source, providers)
        if seen is not None:
            return seen
        answer = self._prove_token(first, providers) if first.method == "jwt" else None
        if isinstance(answer, Accepted):
            return answer
        return self._first_valid(found, providers, answer)

    async def _first_valid(
        self, found: list[Presented], providers: Providers, begun: Answer | Awaitable[Answer] | None
    ) -> Answer:
        """`begun` is what came of the first one so far."""
        worst: Failure = "missing"
        for each in found:
            answer, begun = begun, None
            if answer is None:
                answer = self._recall(each.source, providers) or self._prove(each, providers)
            if not isinstance(answer, Accepted | str):
                answer = await answer
            if isinstance(answer, Accepted):
                return answer
            worst = max(worst, answer, key=_SEVERITY.index)
        return worst

    def forget_provided(self) -> None:
        """A provider withdrew a key: all that providers vouched for is verified anew."""
        self.memory.forget_those(lambda identity: identity.provider != "")

    def _forget_own_tokens(self, subjects: tuple[str, ...]) -> None:
        """A signing key came or went: the gateway's own tokens are verified by those that are left."""
        if _SIGNING_KEYS in subjects:
            self.memory.forget_those(lambda identity: identity.method == "jwt" and not identity.provider)

    def _recall(self, source: Source, providers: Providers) -> Accepted | None:
        seen = self._find(source)
        if seen is None or self._is_good(seen, providers):
            return seen
        self.memory.forget(source)
        return None

    def _is_good(self, seen: Accepted, providers: Providers) -> bool:
        """Whether it still counts; if so, it is used now."""
        now = self._now()
        if (
            now < seen.until
            and (seen.epoch == self._changes.epoch or self._is_unchanged(seen))
            and (seen.providers is providers or _is_still_trusted(seen, providers))
        ):
            if now >= seen.quiet_until:
                self._note_use(seen, now)
            return True
        return False

    def _note_use(self, seen: Accepted, now: float) -> None:
        if seen.identity.method == "jwt":
            seen.quiet_until = _FOREVER
        else:
            seen.quiet_until = now + QUIET_S
            self._store.used(seen.identity)

    def _is_unchanged(self, seen: Accepted) -> bool:
        if self._changes.is_stale(seen.identity):
            return False
        seen.epoch = self._changes.epoch
        return True

    def _prove(self, each: Presented, providers: Providers) -> Answer | Awaitable[Answer]:
        return self._prove_token(each, providers) if each.method == "jwt" else self._look_up(each, providers)

    def _prove_token(self, each: Presented, providers: Providers) -> Answer | Awaitable[Answer]:
        """At once, unless a provider's keys must be fetched."""
        if not each.value:
            return "invalid"
        verdict = self._verifier.verify(each.value, providers, only=each.provider)
        if isinstance(verdict, Identity):
            return self._judge(each, verdict, providers)
        return (
            self._await_keys(each, verdict, providers) if isinstance(verdict, Awaitable) else verdict.reason
        )

    async def _await_keys(self, each: Presented, verdict: Awaitable[Verdict], providers: Providers) -> Answer:
        found = await verdict
        return self._judge(each, found, providers) if isinstance(found, Identity) else found.reason

    def _judge(self, each: Presented, found: Identity, providers: Providers) -> Answer:
        return "invalid" if self._changes.is_stale(found) else self._keep(each, found, providers)

    async def _look_up(self, each: Presented, providers: Providers) -> Answer:
        """A look-up that a change overtook is made once more."""
        answer: Answer = "invalid"
        for _ in range(_LOOK_UPS if each.value else 0):
            found = await self._find_ticket(each)
            if not isinstance(found, Identity):
                return found
            answer = self._judge(each, found, providers)
            if isinstance(answer, Accepted):
                break
        return answer

    async def _find_ticket(self, each: Presented) -> Identity | Failure:
        brand = _BRANDS[each.method]
        prefix = tickets.prefix_of(each.value, brand, pepper=self._pepper)
        if prefix is None:
            return "invalid"
        try:
            found = await self._store.find(brand, prefix, each.value)
        except StoreAway:
            return "unavailable"
        if found is None:
            return "invalid"
        self._store.used(found)
        return found

    def _keep(self, each: Presented, identity: Identity, providers: Providers) -> Accepted:
        until = identity.expires_at
        if identity.provider:
            until = min(until, self._now() + LONGEST_TRUST_IN_PROVIDERS_S)
        accepted = Accepted(identity, each, until=until, epoch=self._changes.epoch, providers=providers)
        self.memory.put(each.source, accepted)
        return accepted


def _is_still_trusted(seen: Accepted, providers: Providers) -> bool:
    """The configuration is another one: is the provider that vouches for the caller still in it, as it was?"""
    name = seen.identity.provider
    if name and _named(name, seen.providers) != _named(name, providers):
        return False
    seen.providers = providers
    return True


def _named(name: str, providers: Providers) -> CompiledProvider | None:
    return next((each for each in providers if each.name == name), None)
