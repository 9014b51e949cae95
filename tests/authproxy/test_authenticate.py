"""Who calls: what is remembered, for how long, and what ends it."""

from dataclasses import replace
from typing import Any

import pytest

from authproxy import tickets
from authproxy.authenticate import LONGEST_TRUST_IN_PROVIDERS_S, QUIET_S, NoStore
from authproxy.changes import Change
from authproxy.credentials import METHODS
from authproxy.identity import Method
from authproxy.memory import Accepted, Memory
from routing.snapshot import CompiledProvider
from tests.support.callers import NOW, Refusal
from tests.support.desk import AZURE, PROVIDERS, Desk


def bearer(token: str) -> tuple[bytes, str]:
    return b"authorization", f"Bearer {token}"


def cookie(value: str, name: str = "torana_session") -> tuple[bytes, str]:
    return b"cookie", f"{name}={value}"


async def test_each_way_of_presenting_a_credential() -> None:
    """A token, an API key in either field, a session's cookie, a provider's cookie."""
    desk = Desk()
    desk.callers.token("t", consumer="ada")
    desk.callers.token("p", consumer="azure:1", provider="azure")
    key, _ = desk.callers.ticket()
    session, _ = desk.callers.ticket(tickets.SESSION, consumer="eve")

    assert await desk.consumer(bearer("t")) == "ada"
    assert await desk.consumer((b"x-api-key", key)) == "bot"
    assert await desk.consumer((b"authorization", f"ApiKey {key}")) == "bot"
    assert await desk.consumer(cookie(session)) == "eve"
    assert await desk.consumer(cookie("p", "access_token")) == "azure:1"


async def test_second_time_is_answered_from_memory_and_at_once() -> None:
    """Nobody is asked again, and nothing is awaited."""
    desk = Desk()
    desk.callers.token("t")
    key, _ = desk.callers.ticket()
    session, _ = desk.callers.ticket(tickets.SESSION)
    for pairs in ([bearer("t")], [(b"x-api-key", key)], [cookie(session)], [bearer("t"), cookie(session)]):
        await desk.ask(*pairs)
        asked = len(desk.callers.asked)
        fields = [(name, value.encode()) for name, value in pairs]

        assert isinstance(desk.authenticator.identify(fields, METHODS, PROVIDERS), Accepted)
        assert len(desk.callers.asked) == asked


async def test_each_use_of_a_key_or_session_is_noted_but_no_token_s() -> None:
    """The look-up, and then once a second: more would say nothing more."""
    desk = Desk()
    desk.callers.token("t")
    key, bot = desk.callers.ticket()
    for _ in range(3):
        await desk.ask((b"x-api-key", key))
        await desk.ask(bearer("t"))
    assert desk.callers.uses == [bot] * 2

    desk.clock.now += QUIET_S
    for _ in range(3):
        assert desk.recalled((b"x-api-key", key)) == "bot"
    assert desk.callers.uses == [bot] * 3


async def test_straight_path_knows_who_was_seen_until_something_changes() -> None:
    """Then it says nothing, and the long way tells."""
    desk = Desk()
    desk.callers.token("t", consumer="ada", expires_at=desk.clock.now + 60, subjects=("user:1",), seq=0)
    assert desk.recalled(bearer("t")) is None

    await desk.ask(bearer("t"))
    assert desk.recalled(bearer("t")) == "ada"
    assert desk.recalled(bearer("u")) is None
    assert desk.recalled(bearer("t"), providers=()) is None

    desk.changes.note([Change(1, "user:2", desk.clock.now)])
    assert desk.recalled(bearer("t")) is None
    assert await desk.consumer(bearer("t")) == "ada"
    assert desk.recalled(bearer("t")) == "ada"

    desk.clock.now += 60
    assert desk.recalled(bearer("t")) is None


async def test_first_valid_credential_wins_in_the_order_of_the_methods() -> None:
    """One that is not valid does not spoil the others."""
    desk = Desk()
    desk.callers.token("t", consumer="ada")
    key, _ = desk.callers.ticket()
    both = (b"x-api-key", key), bearer("t")

    assert await desk.consumer(*both) == "ada"
    assert await desk.consumer(*both, methods=("api_key", "jwt")) == "bot"
    assert await desk.consumer((b"x-api-key", key), bearer("forged")) == "bot"


@pytest.mark.parametrize("methods", [("api_key",), ("session",), ("api_key", "session")])
async def test_remembered_token_does_not_pass_where_tokens_are_not_taken(methods: tuple[Method, ...]) -> None:
    """What another route has seen is no way in here."""
    desk = Desk()
    desk.callers.token("t")
    await desk.ask(bearer("t"))

    assert await desk.consumer(bearer("t"), methods=methods) == "missing"


async def test_remembered_credential_counts_only_where_it_stood() -> None:
    """A key is no token, a token no key, a bare value no Bearer; a provider's cookie takes that provider's only."""
    desk = Desk()
    desk.callers.token("t")
    key, _ = desk.callers.ticket()
    await desk.ask(bearer("t"))
    await desk.ask((b"x-api-key", key))

    assert await desk.consumer((b"authorization", "t")) == "missing"
    assert await desk.consumer((b"x-api-key", "t")) == "invalid"
    assert await desk.consumer((b"x-api-key", "Bearer t")) == "invalid"
    assert await desk.consumer(bearer(key)) == "invalid"
    assert await desk.consumer(cookie(key)) == "invalid"
    assert await desk.consumer(cookie("t", "access_token")) == "invalid"


@pytest.mark.parametrize("reason", ["invalid", "expired", "unavailable"])
async def test_why_a_token_is_refused(reason: Any) -> None:
    """As the verifier says."""
    desk = Desk()
    desk.callers.tokens[b"t"] = Refusal(reason)

    assert await desk.consumer(bearer("t")) == reason


async def test_of_several_failures_the_one_that_may_pass_is_told() -> None:
    """Whoever might be let in later is told so, and not that all is wrong."""
    desk = Desk()
    desk.callers.tokens[b"old"] = Refusal("expired")
    desk.callers.is_away = True
    key, _ = desk.callers.ticket()

    assert await desk.consumer(bearer("old"), (b"x-api-key", "nonsense")) == "expired"
    assert await desk.consumer(bearer("old"), (b"x-api-key", key)) == "unavailable"


@pytest.mark.parametrize("text", ["", " ", "nonsense", "tor_" + "x" * 1000, "tor_abc", "\xff\x00", "Bearer"])
async def test_made_up_keys_are_not_looked_up(text: str) -> None:
    """The tag shows that the gateway never made them."""
    desk = Desk()

    assert await desk.consumer((b"x-api-key", text)) == "invalid"
    assert desk.callers.asked == []


async def test_remembered_credential_that_ended_leaves_the_others_their_turn() -> None:
    """A token that has expired beside a session that has not."""
    desk = Desk()
    desk.callers.token("t", expires_at=NOW + 10)
    session, _ = desk.callers.ticket(tickets.SESSION, consumer="eve")
    both = bearer("t"), cookie(session)
    seen = [await desk.consumer(*both), await desk.consumer(*both)]
    desk.callers.tokens[b"t"] = Refusal("expired")
    desk.clock.now = NOW + 10

    assert [*seen, await desk.consumer(*both)] == ["ada", "ada", "eve"]


@pytest.mark.parametrize("other", [b"Bearer other", b"Basic dTpw", b"Bearer t"])
async def test_remembered_credential_in_a_field_that_comes_twice_proves_nothing(other: bytes) -> None:
    """An upstream might read the other one, whether or not the credential was seen before."""
    desk = Desk()
    desk.callers.token("t")
    assert await desk.consumer(bearer("t")) == "ada"
    twice = [bearer("t"), (b"authorization", other.decode())]

    assert [await desk.consumer(*twice), await desk.consumer(*twice[::-1])] == ["invalid", "invalid"]


async def test_key_with_another_secret_is_not_looked_up() -> None:
    """Knowing the public part of a key is worth nothing."""
    desk = Desk()
    key, _ = desk.callers.ticket()
    changed = key[:20] + ("a" if key[20] != "a" else "b") + key[21:]

    assert await desk.consumer((b"x-api-key", changed)) == "invalid"
    assert desk.callers.asked == []


async def test_refusals_are_not_remembered() -> None:
    """A key that was not known a moment ago may be by now."""
    desk = Desk()
    key, bot = desk.callers.ticket()
    del desk.callers.holders[key.encode()]

    assert await desk.consumer((b"x-api-key", key)) == "invalid"
    desk.callers.holders[key.encode()] = bot
    assert await desk.consumer((b"x-api-key", key)) == "bot"


async def test_store_away_known_callers_go_on_and_unknown_ones_wait() -> None:
    """Nobody is let in who was not seen before."""
    desk = Desk()
    known, _ = desk.callers.ticket()
    unknown, _ = desk.callers.ticket()
    await desk.ask((b"x-api-key", known))
    desk.callers.is_away = True

    assert await desk.consumer((b"x-api-key", known)) == "bot"
    assert await desk.consumer((b"x-api-key", unknown)) == "unavailable"


async def test_without_a_database_keys_cannot_be_checked() -> None:
    """Which is not the key's fault."""
    desk = Desk()
    desk.authenticator._store = NoStore()
    key, _ = desk.callers.ticket()

    assert await desk.consumer((b"x-api-key", key)) == "unavailable"


async def test_what_expires_is_forgotten_in_time() -> None:
    """To the moment; then it is asked for again."""
    desk = Desk()
    desk.callers.token("t", expires_at=NOW + 10)
    key, _ = desk.callers.ticket(expires_at=NOW + 10)
    for pair in (bearer("t"), (b"x-api-key", key)):
        await desk.ask(pair)
    desk.callers.tokens[b"t"] = Refusal("expired")
    desk.callers.holders.clear()
    desk.clock.now = NOW + 9.99

    assert [await desk.consumer(pair) for pair in (bearer("t"), (b"x-api-key", key))] == ["ada", "bot"]
    desk.clock.now = NOW + 10
    assert [await desk.consumer(pair) for pair in (bearer("t"), (b"x-api-key", key))] == [
        "expired",
        "invalid",
    ]


async def test_change_of_a_subject_ends_what_rests_on_it_and_nothing_else() -> None:
    """At the next request; a token is not believed again, a key is looked up anew."""
    desk = Desk()
    desk.callers.token("t", subjects=("user:1",), seq=4)
    desk.callers.token("u", subjects=("user:2",), seq=4, consumer="bob")
    key, _ = desk.callers.ticket(subjects=("consumer:1",), seq=4)
    pairs = bearer("t"), bearer("u"), (b"x-api-key", key)
    for pair in pairs:
        await desk.ask(pair)
    desk.callers.holders.clear()
    desk.changes.note([Change(5, "user:1", NOW), Change(6, "consumer:1", NOW)])

    assert [await desk.consumer(pair) for pair in pairs] == ["invalid", "bob", "invalid"]


async def test_change_during_a_look_up_has_it_made_again() -> None:
    """What was read before the change is not remembered after it."""
    desk = Desk()
    key, _ = desk.callers.ticket(subjects=("key:1",), seq=4)

    def revoke() -> None:
        desk.callers.holders.clear()
        desk.changes.note([Change(5, "key:1", NOW)])

    desk.callers.while_asked = revoke

    assert await desk.consumer((b"x-api-key", key)) == "invalid"
    assert len(desk.callers.asked) == 2


async def test_provider_s_token_is_verified_anew_after_a_while() -> None:
    """So that a key which the provider withdrew does not vouch until the token's own end."""
    desk = Desk()
    desk.callers.token("p", provider="azure")
    desk.callers.token("t")
    for pair in (bearer("p"), bearer("t")):
        await desk.ask(pair)
    desk.callers.tokens.clear()
    desk.clock.now = NOW + LONGEST_TRUST_IN_PROVIDERS_S

    assert [await desk.consumer(pair) for pair in (bearer("p"), bearer("t"))] == ["invalid", "ada"]


@pytest.mark.parametrize(
    ("providers", "who"),
    [
        ((replace(AZURE), AZURE), "azure:1"),
        ((), "invalid"),
        ((replace(AZURE, audiences=frozenset({"other"})),), "invalid"),
        ((replace(AZURE, name="other"),), "invalid"),
    ],
)
async def test_provider_that_left_the_configuration_vouches_for_nobody(
    providers: tuple[CompiledProvider, ...], who: str
) -> None:
    """Nor does one that was changed, until its tokens are verified anew."""
    desk = Desk()
    desk.callers.token("p", consumer="azure:1", provider="azure")
    await desk.ask(bearer("p"))
    desk.callers.tokens.clear()

    assert await desk.consumer(bearer("p"), providers=providers) == who


async def test_tokens_of_the_gateway_do_not_care_for_providers() -> None:
    """A configuration without them keeps everybody signed in."""
    desk = Desk()
    desk.callers.token("t")
    await desk.ask(bearer("t"))
    desk.callers.tokens.clear()

    assert await desk.consumer(bearer("t"), providers=()) == "ada"


async def test_keys_that_must_be_fetched_are_waited_for() -> None:
    """The verifier may answer later."""
    desk = Desk()
    desk.callers.fetches = True
    desk.callers.token("t")

    assert await desk.consumer(bearer("t")) == "ada"


async def test_other_signing_keys_have_the_gateway_s_tokens_verified_anew() -> None:
    """Those of providers and keys do not depend on them."""
    desk = Desk()
    desk.callers.token("t")
    desk.callers.token("p", consumer="azure:1", provider="azure")
    for pair in (bearer("t"), bearer("p")):
        await desk.ask(pair)
    desk.callers.tokens.clear()
    desk.changes.note([Change(1, "signing-keys", NOW)])

    assert [await desk.consumer(pair) for pair in (bearer("t"), bearer("p"))] == ["invalid", "azure:1"]


async def test_withdrawn_key_has_what_providers_vouched_for_verified_anew() -> None:
    """And nothing else."""
    desk = Desk()
    desk.callers.token("t")
    desk.callers.token("p", provider="azure")
    for pair in (bearer("t"), bearer("p")):
        await desk.ask(pair)
    desk.callers.tokens.clear()
    desk.authenticator.forget_provided()

    assert [await desk.consumer(pair) for pair in (bearer("t"), bearer("p"))] == ["ada", "invalid"]


async def test_what_does_not_fit_into_memory_is_asked_for_again() -> None:
    """The newest callers are remembered."""
    desk = Desk(memory=Memory(most=100))
    for n in range(1000):
        desk.callers.token(f"t{n}")
        await desk.ask(bearer(f"t{n}"))
    asked = len(desk.callers.asked)

    assert [await desk.consumer(bearer(f"t{n}")) for n in (999, 0)] == ["ada", "ada"]
    assert len(desk.callers.asked) == asked + 1


async def test_no_repr_shows_a_credential() -> None:
    """They end up in tracebacks."""
    desk = Desk()
    desk.callers.token("secret")
    answer = await desk.ask(bearer("secret"))

    assert "secret" not in repr(answer) + repr(desk.authenticator)
