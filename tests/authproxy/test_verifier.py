"""Whose tokens are accepted, and every known way to have a forged one accepted."""

import inspect
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import get_default_algorithms

from authproxy.identity import Identity
from authproxy.keyring import KeyRing
from authproxy.keyset import Fetched, FetchFailed, Limits
from authproxy.keysets import KeySets
from authproxy.tokens import TokenRefusal
from authproxy.verifier import TokenVerifier
from routing.snapshot import CompiledProvider
from tests.support.jose import ISSUER, NOW, SECRET, claims, jwk, jwks, pem, private, provider, segment, token

IDP = "https://idp.test"
ANOTHER = "another shared secret, as long as it has to be"
IDP_KEY = private("RS256", "idp")


class Web:
    """What providers publish, by address; an address that is not there does not answer."""

    def __init__(self, **documents: bytes) -> None:
        self.documents = {"https://idp.test/keys": jwks(jwk("RS256", "idp")), **documents}
        self.asked: list[str] = []

    async def __call__(self, url: str) -> Fetched:
        self.asked.append(url)
        if url not in self.documents:
            raise FetchFailed("not there")
        return Fetched(self.documents[url])


def verifier(ring: KeyRing | None = None, web: Web | None = None) -> TokenVerifier:
    own = ring or KeyRing.fixed(SECRET, "HS256")
    return TokenVerifier(
        issuer=ISSUER,
        keyring=lambda: own,
        key_sets=KeySets(web or Web(), clock=time.monotonic, limits=Limits(floor=0.0)),
        wall_clock=lambda: NOW,
    )


async def judged(
    made: bytes, *providers: CompiledProvider, by: TokenVerifier | None = None, **options: Any
) -> Identity | TokenRefusal:
    verdict = (by or verifier()).verify(made, providers, **options)
    return await verdict if inspect.isawaitable(verdict) else verdict


def idp_token(said: dict[str, Any] | None = None, key: Any = IDP_KEY, **header: Any) -> bytes:
    named = {"kid": "idp", **header}
    return token(
        claims(**{"iss": IDP, **(said or {})}),
        key=key,
        algorithm="RS256",
        **{name: value for name, value in named.items() if value is not None},
    )


async def consumer(*arguments: Any, **options: Any) -> str:
    verdict = await judged(*arguments, **options)
    assert isinstance(verdict, Identity), verdict
    return verdict.consumer


async def why(*arguments: Any, **options: Any) -> str:
    verdict = await judged(*arguments, **options)
    assert isinstance(verdict, TokenRefusal)
    assert verdict.reason == "invalid"
    return verdict.why


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA"])
def test_own_token_is_verified_at_once(algorithm: str) -> None:
    """Without a task or a thread: what verify returns is the identity itself."""
    secret = SECRET if algorithm.startswith("HS") else pem(private(algorithm))
    ring = KeyRing.fixed(secret, algorithm)
    verdict = verifier(ring).verify(ring.sign_bytes(claims(iss=ISSUER)), (provider(),))

    assert isinstance(verdict, Identity)
    assert verdict.user_id == "7"


async def test_unsigned_tokens() -> None:
    """`none` in every case, with and without a signature (CVE-2015-2951)."""
    for name in ("none", "None", "NONE", "nOnE", ""):
        bare = segment({"alg": name}) + b"." + segment(claims()) + b"."
        assert await why(bare) == "unsigned"
        assert await why(bare + segment("x")) == "unknown_key"
        assert await why(bare + token().rpartition(b".")[2]) == "unknown_key"


async def test_names_of_algorithms_are_taken_to_the_letter() -> None:
    """Another case, white space, another hash function with the same secret: not what the key is for."""
    right = get_default_algorithms()["HS256"]
    for name in ("hs256", "Hs256", "HS256 ", " HS256", "HS256\x00"):
        content = segment({"alg": name}) + b"." + segment(claims())
        assert await why(content + b"." + segment(right.sign(content, SECRET.encode()))) == "unknown_key"
    assert await why(token(algorithm="HS512")) == "unknown_key"


async def test_public_key_as_shared_secret() -> None:
    """An RS256 gateway and an HS256 token keyed with its public key, in PEM and as the published JWK."""
    ring = KeyRing.fixed(pem(private("RS256")), "RS256")
    shown = ring.public_jwks()["keys"][0]
    hashing = get_default_algorithms()["HS256"]
    for secret in (shown["n"].encode(), str(shown).encode(), pem(private("RS256")).encode()):
        content = segment({"alg": "HS256", "kid": shown["kid"]}) + b"." + segment(claims())
        forged = content + b"." + segment(hashing.sign(content, secret))
        assert await why(forged, by=verifier(ring)) == "unknown_key"


async def test_providers_public_key_as_shared_secret() -> None:
    """Nor with a provider's key, whose algorithms are the ones that its row allows."""
    content = segment({"alg": "HS256", "kid": "idp"}) + b"." + segment(claims(iss=IDP))
    public = jwk("RS256", "idp")["n"].encode()
    forged = content + b"." + segment(get_default_algorithms()["HS256"].sign(content, public))

    assert await why(forged, provider()) == "bad_algorithm"
    assert await why(forged, provider(algorithms=frozenset({"RS256", "HS256"}))) == "bad_signature"


@pytest.mark.parametrize("own_algorithm", ["HS256", "RS256"])
async def test_key_that_the_token_brings(own_algorithm: str) -> None:
    """jwk, jku, x5u and x5c in the header name the attacker's key: nobody looks, nothing is fetched."""
    ring = KeyRing.fixed(SECRET if own_algorithm == "HS256" else pem(private("RS256")), own_algorithm)
    mine, web = (
        private("RS256", "attacker"),
        Web(**{"https://evil.test/keys": jwks(jwk("RS256", "attacker"))}),
    )
    by = verifier(ring, web)
    for header in (
        {"jwk": jwk("RS256", "attacker")},
        {"jku": "https://evil.test/keys", "kid": "attacker"},
        {"x5u": "https://evil.test/keys", "kid": "attacker"},
        {"x5c": ["MIIB"]},
    ):
        for said in (claims(), claims(iss=IDP)):
            named = {"kid": "idp", **header}
            verdict = await judged(token(said, key=mine, algorithm="RS256", **named), provider(), by=by)
            assert isinstance(verdict, TokenRefusal)
            assert verdict.reason == "invalid"
    assert set(web.asked) <= {"https://idp.test/keys"}


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "/dev/null",
        "x' UNION SELECT 'secret' --",
        "a\x00b",
        "|id",
        "https://evil.test/k",
    ],
)
async def test_names_of_keys_are_only_names(kid: str) -> None:
    """No file, no query, no address; keyed with nothing, as such tricks have it, or even with the right secret."""
    content = segment({"alg": "HS256", "kid": kid}) + b"." + segment(claims())
    for secret in (b"", b"\x00", b"secret", SECRET.encode()):
        forged = content + b"." + segment(get_default_algorithms()["HS256"].sign(content, secret))
        assert await why(forged) == "unknown_key"


async def test_changed_tokens() -> None:
    """A byte more or less in any part, and parts of two tokens put together."""
    head, body, signature = token().split(b".")
    other = token(claims(sub="8")).split(b".")

    assert await why(b".".join((head, other[1], signature))) == "bad_signature"
    assert await why(b".".join((head, body, other[2]))) == "bad_signature"
    assert await why(b".".join((head, body, b"AAAA" + signature))) == "bad_signature"
    assert await why(b".".join((segment({"alg": "HS256"}), body, signature))) == "bad_signature"


SAMPLES = {
    algorithm: KeyRing.fixed(SECRET if algorithm == "HS256" else pem(private(algorithm)), algorithm)
    for algorithm in ("HS256", "RS256", "ES256", "EdDSA")
}


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_no_other_bytes_are_accepted(algorithm: str, data: st.DataObject) -> None:
    """Whatever single change is made to a valid token, anywhere: another byte, one less, one more."""
    ring = SAMPLES[algorithm]
    made = ring.sign_bytes(claims())
    place = data.draw(st.integers(0, len(made) - 1))
    digits = st.sampled_from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\x00")
    byte = data.draw(digits | st.integers(0, 255))
    kept = data.draw(st.sampled_from((0, 1)))
    other = made[:place] + bytes([byte]) * data.draw(st.sampled_from((0, 1))) + made[place + kept :]

    verdict = verifier(ring).verify(other, ())
    assert isinstance(verdict, Identity) is (other == made)


async def test_provider_is_chosen_by_the_issuer() -> None:
    """Its keys verify its own tokens only, and nobody else's."""
    other = provider(
        name="other", issuers=frozenset({"https://other.test"}), jwks_url="https://other.test/keys"
    )
    web = Web(**{"https://other.test/keys": jwks(jwk("RS256", "other"))})
    by, both = verifier(web=web), (provider(), other)
    others = token(claims(iss=IDP), key=private("RS256", "other"), algorithm="RS256", kid="other")

    assert await consumer(idp_token(), *both, by=by) == "idp:7"
    assert await why(others, *both, by=by) == "unknown_key"
    assert await why(token(claims(iss="https://x.test")), *both, by=by) == "unknown_issuer"
    assert await why(token(claims(iss="https://x.test"))) == "unknown_issuer"
    assert await why(token(claims(iss=IDP)), *both, by=by) == "bad_algorithm"
    assert web.asked.count("https://other.test/keys") == 0


async def test_own_key_does_not_speak_for_a_provider() -> None:
    """Nor does a provider speak for the gateway."""
    assert await why(token(claims(iss=IDP)), provider()) == "bad_algorithm"
    assert await why(idp_token({"iss": ISSUER}), provider()) == "unknown_key"


async def test_shared_secret_of_a_provider() -> None:
    """Without an issuer it takes tokens of any, the gateway's own keys first."""
    shared = provider(
        name="legacy",
        issuers=frozenset(),
        jwks_url=None,
        secret=ANOTHER,
        algorithms=frozenset({"HS256"}),
    )
    theirs = token(claims(iss="https://x.test"), key=ANOTHER)

    assert await consumer(theirs, shared) == "legacy:7"
    assert await consumer(token(claims(), key=ANOTHER, kid="any"), shared) == "legacy:7"
    assert await consumer(token(), shared) == "7"
    assert await why(token(claims(), key=ANOTHER * 2), shared) == "bad_signature"
    assert await why(theirs, provider(secret=None, jwks_url=None, issuers=frozenset())) == "bad_algorithm"


async def test_token_of_a_providers_cookie() -> None:
    """Only that provider may have signed it: neither the gateway nor another one."""
    other = provider(name="other", issuers=frozenset())

    assert await consumer(idp_token(), provider(), other, only=other) == "other:7"
    assert await why(token(), provider(), only=provider()) == "unknown_issuer"
    assert await why(token(), other, only=other) == "bad_algorithm"


async def test_expired_outweighs_other_reasons() -> None:
    """Who is told "expired" can act on it; a provider that is away outweighs only "invalid"."""
    gone = provider(name="gone", jwks_url="https://gone.test/keys")
    late = idp_token({"exp": NOW - 60})

    assert await judged(late, provider(), gone) == TokenRefusal("expired", "expired")
    assert await judged(late, gone, provider()) == TokenRefusal("expired", "expired")
    assert await judged(idp_token(), gone) == TokenRefusal("unavailable", "keys_unavailable")
    assert await judged(idp_token({"aud": 7}), gone) == TokenRefusal("unavailable", "keys_unavailable")
    assert await consumer(idp_token(), gone, provider()) == "idp:7"


async def test_only_what_must_be_fetched_is_awaited() -> None:
    """The second token finds the keys; an algorithm that is not allowed fetches nothing."""
    web = Web()
    by = verifier(web=web)

    assert inspect.iscoroutinefunction(by.verify) is False
    assert await why(token(claims(iss=IDP), kid="idp"), provider(), by=by) == "bad_algorithm"
    assert web.asked == []
    assert await consumer(idp_token(), provider(), by=by) == "idp:7"
    assert isinstance(by.verify(idp_token({"sub": "8"}), (provider(),)), Identity)
    assert web.asked == ["https://idp.test/keys"]


async def test_token_without_the_name_of_its_key() -> None:
    """Every key of the set is tried."""
    web = Web(**{"https://idp.test/keys": jwks(jwk("RS256", "other"), jwk("RS256", "idp"))})
    by = verifier(web=web)

    assert await consumer(idp_token(kid=None), provider(), by=by) == "idp:7"
    assert isinstance(by.verify(idp_token({"sub": "8"}, kid=None), (provider(),)), Identity)


async def test_discovery_says_who_the_issuer_is() -> None:
    """A provider that was configured by its discovery document alone."""
    url = "https://idp.test/.well-known/openid-configuration"
    web = Web(**{url: b'{"issuer":"https://idp.test","jwks_uri":"https://idp.test/keys"}'})
    by = verifier(web=web)
    found = provider(issuers=frozenset(), jwks_url=None, discovery_url=url)
    mistaken = provider(issuers=frozenset({"https://x.test"}), jwks_url=None, discovery_url=url)

    assert await consumer(idp_token(), found, by=by) == "idp:7"
    assert await why(idp_token({"iss": "https://x.test"}), found, by=by) == "wrong_issuer"
    assert await why(idp_token({"iss": "https://x.test"}), mistaken, by=by) == "wrong_issuer"


async def test_oversized_token_costs_nothing() -> None:
    """It is refused before anything is decoded."""
    assert await why(token(claims(pad="x" * 17000))) == "too_long"
    assert await consumer(token(claims(pad="x" * 10000))) == "7"


def test_token_that_pyjwt_made_and_reads() -> None:
    """Both sides agree on what we sign ourselves, too."""
    ring = KeyRing.fixed(SECRET, "HS256")
    made = ring.sign_bytes(claims())

    assert jwt.decode(made, SECRET, ["HS256"])["sub"] == "7"
    assert isinstance(verifier(ring).verify(made, ()), Identity)
