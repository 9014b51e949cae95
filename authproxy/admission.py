"""I: The steps "who calls" and "may they", prepared for each route.

admit       for a request that presents credentials: sets `exchange.identity`, or why there is none, and what the
            upstream gets of the credentials and is told of the caller; then authorises
authorise   for a route that is not public: level, roles and scopes
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from authproxy import csrf, problems
from authproxy.authenticate import Answer, Authenticator
from authproxy.authorise import judge
from authproxy.credentials import METHODS, Presented, is_foreign, remaining
from authproxy.exchange import Exchange
from authproxy.grants import Roles
from authproxy.handshake import SCOPE_HANDSHAKE
from authproxy.headers import Pairs
from authproxy.identity import Identity
from authproxy.memory import Accepted
from authproxy.problems import Reason
from authproxy.rejections import Rejection
from authproxy.security import SecurityEvent
from routing.snapshot import CompiledRoute, services_of

Conclusion = Rejection | None
POLICY: Final = "auth"
_AT_ONCE: Final = (Accepted, str)
_REMARKABLE: Final[frozenset[Reason]] = frozenset({"invalid", "cross_site"})
_OWN_FAULT: Final[frozenset[Reason]] = frozenset({"invalid", "expired", "unavailable"})
"""Where a route is public, a cookie that another site's page may have sent is as good as none."""
_SOMEBODY: Final = Identity(method="jwt")
"""Without any right: whom a route lets pass, it lets everybody pass who is known."""


class Mint(Protocol):
    """Makes a token that tells `service` who calls; None while no key signs."""

    def __call__(self, identity: Identity, roles: Roles, service: str) -> bytes | None: ...


class Gatekeeper:
    """What all routes share: the memory of who calls, and the count of who was not let in."""

    def __init__(
        self,
        authenticator: Authenticator,
        *,
        realm: str,
        pepper: bytes,
        mint: Mint,
        report: Callable[[SecurityEvent], None],
        is_on: bool = True,
    ) -> None:
        """`is_on` False: routes admit anybody (ENABLE_AUTHENTICATION), but still learn who calls."""
        self.authenticator = authenticator
        self.realm = realm
        self.mint = mint
        self.is_on = is_on
        self.refusals: Counter[str] = Counter()
        """By reason; what a route's `mode: log` let pass is among them."""
        self._pepper = pepper
        self._report = report

    async def recognise(self, exchange: Exchange) -> None:
        """Who calls an endpoint of the gateway itself, which decides what to make of it."""
        pairs = exchange.head.credentials
        if pairs is not None:
            answer = self.authenticator.identify(pairs, METHODS, exchange.snapshot.providers)
            self.settle(exchange, answer if isinstance(answer, _AT_ONCE) else await answer)

    def settle(self, exchange: Exchange, answer: Answer) -> Presented | None:
        """Notes who calls, or why nobody is known to. Returns the credential that proved it."""
        if not isinstance(answer, Accepted):
            exchange.auth_failure = answer
        elif answer.presented.cookie and not self._is_meant(exchange, answer.identity):
            exchange.auth_failure = "cross_site"
        else:
            exchange.identity = answer.identity
            return answer.presented
        return None

    def note(self, exchange: Exchange, refusal: Rejection, *, is_enforced: bool) -> None:
        """Counts a refusal, and tells of one that somebody may want to know of."""
        caller = exchange.identity
        self.refusals["forbidden" if caller else exchange.auth_failure] += 1
        if not is_enforced:
            return
        address, route = exchange.origin.client_ip, exchange.route.name
        if caller:
            details = {"route": route, **refusal.details}
            self._report(SecurityEvent("forbidden", caller.consumer, address=address, details=details))
        elif exchange.auth_failure in _REMARKABLE:
            details = {"route": route, "reason": exchange.auth_failure}
            self._report(SecurityEvent("auth_failed", address=address, details=details))

    def with_token(self, exchange: Exchange, fields: Pairs, service: str) -> Pairs:
        """`fields`, and a token that tells `service` who calls."""
        caller = exchange.identity
        token = None if caller is None else self.mint(caller, exchange.snapshot.roles, service)
        return fields if token is None else (*fields, (b"authorization", b"Bearer " + token))

    def _is_meant(self, exchange: Exchange, identity: Identity) -> bool:
        origin, method = exchange.origin, exchange.method
        if SCOPE_HANDSHAKE in exchange.scope and any(
            name == b"origin" for name, _ in exchange.scope["headers"]
        ):
            method = "CONNECT"  # no browser asks other sites before a page may open a connection
        return csrf.is_meant(
            method,
            exchange.scope["headers"],
            scheme=origin.scheme,
            host=dict(origin.fields).get(b"x-forwarded-host", b""),
            session="" if identity.provider else identity.session,
            pepper=self._pepper,
        )


class Gate:
    """One route's steps."""

    __slots__ = (
        "_auth",
        "_destination",
        "_forwards",
        "_is_open",
        "_keeper",
        "_methods",
        "_recall",
        "_refuses_invalid",
        "_takes_anybody",
        "_tells",
        "_tells_in_fields",
    )

    def __init__(self, route: CompiledRoute, keeper: Gatekeeper) -> None:
        services = services_of(route.destination)
        self._auth = route.auth
        self._forwards = route.forward_credentials
        self._tells = route.forward_identity
        self._destination = services[0] if len(services) == 1 else ""
        self._tells_in_fields = route.forward_identity == "headers" and route.forward_credentials != "all"
        self._methods = frozenset(route.auth.methods)
        self._is_open = not keeper.is_on or route.auth.level == "public"
        self._refuses_invalid = keeper.is_on and route.auth.reject_invalid and route.auth.level == "public"
        self._takes_anybody = self._is_open or judge(route.auth, _SOMEBODY, {}) is None
        self._keeper = keeper
        self._recall = keeper.authenticator.recall

    @property
    def steps(self) -> tuple[Callable[[Exchange], Conclusion], ...]:
        """What the route asks of requests that present nothing."""
        return () if self._is_open else (self.authorise,)

    def admit(self, exchange: Exchange) -> Conclusion | Awaitable[Conclusion]:
        """Who calls, and may they? The straight path is one field that proves it, on a route that tells in fields."""
        pairs = exchange.head.credentials
        assert pairs is not None
        snapshot = exchange.snapshot
        is_straight = self._tells_in_fields and len(pairs) == 1
        seen = self._recall(pairs[0], snapshot.providers) if is_straight else None
        if seen is None or seen.presented.method not in self._methods:
            if pairs[0][0] == b"cookie" and is_foreign(pairs, snapshot.providers):
                exchange.caller_fields = pairs
                return None if self._is_open else self.authorise(exchange)
            answer = self._keeper.authenticator.identify(pairs, self._auth.methods, snapshot.providers)
            if not isinstance(answer, _AT_ONCE):
                return self._conclude_later(exchange, pairs, answer)
            if not (is_straight and isinstance(answer, Accepted) and not answer.presented.cookie):
                return self._conclude(exchange, pairs, answer)
            seen = answer
        exchange.identity = caller = seen.identity
        exchange.caller_fields = caller.fields(snapshot.roles)
        return None if self._takes_anybody else self.authorise(exchange)

    def authorise(self, exchange: Exchange) -> Conclusion:
        """May they? Asked only where the route is not open to anybody."""
        auth = self._auth
        if self._takes_anybody and exchange.identity is not None:
            return None
        reason, realm = exchange.auth_failure, self._keeper.realm
        refusal = judge(auth, exchange.identity, exchange.snapshot.roles, reason=reason, realm=realm)
        return None if refusal is None else self._refuse(exchange, refusal)

    async def _conclude_later(
        self, exchange: Exchange, pairs: Pairs, answer: Awaitable[Answer]
    ) -> Conclusion:
        return self._conclude(exchange, pairs, await answer)

    def _conclude(self, exchange: Exchange, pairs: Pairs, answer: Answer) -> Conclusion:
        won = self._keeper.settle(exchange, answer)
        exchange.caller_fields = self._told(exchange, pairs, won)
        if won is None and self._refuses_invalid and exchange.auth_failure in _OWN_FAULT:
            auth, reason = self._auth, exchange.auth_failure
            refusal = problems.unauthenticated(reason, methods=auth.methods, realm=self._keeper.realm)
            return self._refuse(exchange, refusal)
        return None if self._is_open else self.authorise(exchange)

    def _refuse(self, exchange: Exchange, refusal: Rejection) -> Conclusion:
        is_enforced = self._auth.is_enforced
        self._keeper.note(exchange, refusal, is_enforced=is_enforced)
        if is_enforced:
            return refusal
        exchange.would = (*exchange.would, (POLICY, refusal))
        return None

    def _told(self, exchange: Exchange, pairs: Pairs, won: Presented | None) -> Pairs:
        """What goes on of the credentials, then who calls."""
        snapshot = exchange.snapshot
        if len(pairs) == 1 and self._forwards == "auto" and won is not None and not won.cookie:
            left: Pairs = ()
        else:
            left = remaining(pairs, forward=self._forwards, won=won, providers=snapshot.providers)
        caller = exchange.identity
        if caller is None or self._tells == "none":
            return left
        if self._tells == "headers":
            fields = caller.fields(snapshot.roles)
            return (*left, *fields) if left else fields
        left = tuple(pair for pair in left if pair[0] != b"authorization")
        return self._keeper.with_token(exchange, left, self._destination) if self._destination else left

    def told(self, exchange: Exchange, service: str) -> Pairs:
        """What another of the route's services gets of the credentials and is told of the caller."""
        fields = exchange.caller_fields
        if self._tells != "token" or service == self._destination or exchange.identity is None:
            return fields
        fields = tuple(pair for pair in fields if pair[0] != b"authorization")  # which was for the first
        return self._keeper.with_token(exchange, fields, service)
