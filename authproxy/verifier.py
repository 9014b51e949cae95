"""I: Whose token it is: the gateway's own, or one of an identity provider's."""

from collections.abc import Awaitable, Callable

from authproxy import jws
from authproxy.identity import Identity
from authproxy.jws import Malformed, Token
from authproxy.keyring import KeyRing
from authproxy.keyset import KeySet
from authproxy.keysets import KeySets
from authproxy.signatures import Key
from authproxy.tokens import TokenRefusal, is_signed_by, judge_own, judge_provided
from routing.snapshot import CompiledProvider

Verdict = Identity | TokenRefusal
_UNKNOWN_ISSUER = TokenRefusal("invalid", "unknown_issuer")
_BAD_ALGORITHM = TokenRefusal("invalid", "bad_algorithm")
_BAD_SIGNATURE = TokenRefusal("invalid", "bad_signature")
_UNKNOWN_KEY = TokenRefusal("invalid", "unknown_key")
_NO_KEYS = TokenRefusal("unavailable", "keys_unavailable")
_WRONG_ISSUER = TokenRefusal("invalid", "wrong_issuer")
_WEIGHT = {"invalid": 0, "unavailable": 1, "expired": 2}


class TokenVerifier:
    """Verifies tokens by themselves: whether something has changed since they were issued is not its business."""

    def __init__(
        self,
        *,
        issuer: str,
        keyring: Callable[[], KeyRing],
        key_sets: KeySets,
        wall_clock: Callable[[], float],
    ) -> None:
        """`issuer` is what the gateway calls itself, `wall_clock` gives epoch seconds."""
        self._issuer = issuer
        self._keyring = keyring
        self._key_sets = key_sets
        self._wall_clock = wall_clock

    def verify(
        self,
        token: bytes,
        providers: tuple[CompiledProvider, ...],
        *,
        only: CompiledProvider | None = None,
    ) -> Verdict | Awaitable[Verdict]:
        """Who a token speaks of; awaitable only where a provider's keys must be fetched.

        The issuer that the token names chooses who may have signed it; `only` is the provider whose cookie it came
        in. Any bytes may be given, and nothing is raised.
        """
        try:
            parsed = jws.parse(token)
        except Malformed as malformed:
            return TokenRefusal("invalid", malformed.why)
        issuer = parsed.claims.get("iss")
        refusal = _UNKNOWN_ISSUER
        if only is None and (issuer is None or issuer == self._issuer):
            verdict = self._judge_own(parsed)
            if isinstance(verdict, Identity) or not providers:
                return verdict
            refusal = verdict
        return self._judge_provided(parsed, _candidates(issuer, providers, only), refusal)

    def _judge_own(self, token: Token) -> Verdict:
        keys = self._keyring().find(token.header.alg, token.header.kid)
        if not keys:
            return _UNKNOWN_KEY
        return judge_own(token, keys, issuer=self._issuer, now=self._wall_clock())

    def _judge_provided(
        self, token: Token, candidates: list[CompiledProvider], refusal: TokenRefusal
    ) -> Verdict | Awaitable[Verdict]:
        """Those that can be judged at once come first; the others' keys are fetched one after another."""
        unsure = []
        for provider in candidates:
            verdict = self._judge_by(token, provider)
            if isinstance(verdict, Identity):
                return verdict
            if verdict is None:
                unsure.append(provider)
            else:
                refusal = _weightier(refusal, verdict)
        return self._judge_later(token, unsure, refusal) if unsure else refusal

    async def _judge_later(
        self, token: Token, unsure: list[CompiledProvider], refusal: TokenRefusal
    ) -> Verdict:
        for provider in unsure:
            published = self._key_sets.published(provider)
            assert published is not None
            is_current = await published.refreshed()
            verdict = self._judge_by(token, provider) or (_UNKNOWN_KEY if is_current else _NO_KEYS)
            if isinstance(verdict, Identity):
                return verdict
            refusal = _weightier(refusal, verdict)
        return refusal

    def _judge_by(self, token: Token, provider: CompiledProvider) -> Verdict | None:
        """None: the provider's keys must be fetched first."""
        if token.header.alg not in provider.algorithms:
            return _BAD_ALGORITHM
        published = self._key_sets.published(provider)
        if published is None:
            keys: tuple[Key, ...] | None = self._key_sets.shared(provider)
        else:
            keys = published.find(token.header.alg, token.header.kid)
        if keys is None:
            return None
        if not is_signed_by(token, keys):
            # Without a name, the key may be one that is not here yet.
            return None if published is not None and token.header.kid is None else _BAD_SIGNATURE
        issuers = _issuers(provider, published)
        if issuers is None:
            return _WRONG_ISSUER
        return judge_provided(token, provider, issuers=issuers, now=self._wall_clock())


def _candidates(
    issuer: object, providers: tuple[CompiledProvider, ...], only: CompiledProvider | None
) -> list[CompiledProvider]:
    """The providers that name the token's issuer, then those that name none."""
    listed = providers if only is None else (only,)
    naming = [each for each in listed if isinstance(issuer, str) and issuer in each.issuers]
    return naming + [each for each in listed if not each.issuers]


def _issuers(provider: CompiledProvider, published: KeySet | None) -> frozenset[str] | None:
    """What `iss` may be; None where the discovery document is not of the provider that was configured."""
    if published is None or published.issuer is None:
        return provider.issuers
    if not provider.issuers:
        return frozenset({published.issuer})
    return provider.issuers if published.issuer in provider.issuers else None


def _weightier(one: TokenRefusal, other: TokenRefusal) -> TokenRefusal:
    return other if _WEIGHT[other.reason] > _WEIGHT[one.reason] or one is _UNKNOWN_ISSUER else one
