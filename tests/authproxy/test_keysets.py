"""The keys of all providers, from one revision to the next."""

import asyncio

from authproxy.keyset import Fetched, KeySet
from authproxy.keysets import KeySets
from tests.support.issuers import Issuer
from tests.support.jose import jwk, jwks, provider
from tests.support.virtualtime import clock, in_virtual_time

URL = "https://idp.test/keys"
TTL = 600.0


def has(keys: KeySet, kid: str) -> bool:
    return bool(keys.find("ES256", kid))


@in_virtual_time
async def test_withdrawal_is_told() -> None:
    """Whoever remembers verified tokens has to look again; a key that came tells nothing."""
    issuer, told = Issuer("a"), []
    sets = KeySets(issuer, clock=clock)
    sets.subscribe(lambda: told.append(clock()))
    keys = sets.published(provider())
    assert keys is not None
    assert await keys.refreshed()
    issuer.kids = ["a", "b"]
    await asyncio.sleep(TTL)
    assert has(keys, "b")
    assert told == []
    issuer.kids = ["b"]
    await asyncio.sleep(TTL)

    assert len(told) == 1
    await sets.aclose()


@in_virtual_time
async def test_closing_lets_go_of_everybody() -> None:
    """Who waits is told that there is nothing; nothing is asked any more."""
    issuer = Issuer("a")
    issuer.takes_s = 5.0
    sets = KeySets(issuer, clock=clock)
    keys = sets.published(provider())
    assert keys is not None
    waiting = asyncio.ensure_future(keys.refreshed())
    await asyncio.sleep(1)
    await sets.aclose()

    assert not await waiting
    await asyncio.sleep(10 * TTL)
    assert len(issuer.asked_at) == 1


@in_virtual_time
async def test_sets_survive_revisions() -> None:
    """The same address is the same set, whatever else a provider's row says; what nobody names is let go."""
    issuer = Issuer("a")
    sets = KeySets(issuer, clock=clock)
    sets.reconcile([provider(), provider(name="b", audiences=frozenset({"x"}))])
    keys = sets.published(provider())
    await asyncio.sleep(10)
    assert keys is not None
    assert has(keys, "a")
    sets.reconcile([provider(name="renamed")])
    await asyncio.sleep(10)
    kept = sets.published(provider(name="renamed"))
    sets.reconcile([provider(jwks_url=None, discovery_url=URL)])

    assert kept is keys
    assert sets.published(provider()) is not keys
    asked = len(issuer.asked_at)
    await asyncio.sleep(5 * TTL)
    assert len(issuer.asked_at) - asked < 70


def test_shared_secrets() -> None:
    """A key for each algorithm that is allowed; none where there is no secret, or where it is no secret."""
    sets = KeySets(Issuer(), clock=lambda: 0.0)
    shared = provider(jwks_url=None, secret="a shared secret", algorithms=frozenset({"HS256", "HS512"}))
    keys = sets.shared(shared)

    assert [set(key.algorithms) for key in keys] == [{"HS256"}, {"HS512"}]
    assert sets.shared(shared) is keys
    assert sets.published(shared) is None
    assert sets.shared(provider(secret=None, algorithms=frozenset({"HS256"}))) == ()
    assert sets.shared(provider(secret='{"kty":"oct","k":"AA"}', algorithms=frozenset({"HS256"}))) == ()
    assert sets.shared(provider(secret="a shared secret", algorithms=frozenset({"RS256"}))) == ()


@in_virtual_time
async def test_discovery_document_leads_to_the_keys() -> None:
    """It is read anew with each fetch, so that keys may move."""
    documents = {
        "https://idp.test/d": b'{"issuer":"https://idp.test","jwks_uri":"https://idp.test/1"}',
        "https://idp.test/1": jwks(jwk("ES256", "one", kid="a")),
        "https://idp.test/2": jwks(jwk("ES256", "one", kid="b")),
    }

    async def fetch(url: str) -> Fetched:
        return Fetched(documents[url])

    sets = KeySets(fetch, clock=clock)
    keys = sets.published(provider(jwks_url=None, discovery_url="https://idp.test/d"))
    assert keys is not None
    assert await keys.refreshed()
    assert (keys.issuer, has(keys, "a")) == ("https://idp.test", True)
    documents["https://idp.test/d"] = documents["https://idp.test/d"].replace(b"/1", b"/2")
    await asyncio.sleep(TTL)

    assert (has(keys, "a"), has(keys, "b")) == (False, True)
    await sets.aclose()
