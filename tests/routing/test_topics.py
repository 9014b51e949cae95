import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.identity import Identity
from routing.topicpatterns import compile_pattern
from routing.topics import NO_RULES, NOBODY, READERS, STAFF, WRITERS, Right, TopicRule, TopicRules, is_topic

NONE: frozenset[str] = frozenset()
ADA = Identity(method="jwt", user_id="7", name="ada", consumer="ada")
STAFFER = Identity(method="session", user_id="1", name="root", consumer="root", is_staff=True)
MAKER = Identity(method="api_key", kind="service", name="maker", consumer="maker")


def rule(*patterns: str, subscribe: Right = READERS, publish: Right = WRITERS, name: str = "r") -> TopicRule:
    return TopicRule(name, tuple(map(compile_pattern, patterns)), subscribe, publish)


@pytest.mark.parametrize(
    ("caller", "topic", "reads", "writes"),
    [
        (ADA, "generation.1", True, False),
        (ADA, "user.7", True, False),
        (ADA, "user.8", False, False),
        (ADA, "orders.1", False, False),
        (ADA, "gateway.breakers", False, False),
        (MAKER, "generation.1", True, True),
        (MAKER, "user.7", False, True),
        (MAKER, "gateway.breakers", False, False),
        (STAFFER, "gateway.breakers", True, False),
        (STAFFER, "orders.1", True, True),
        (None, "generation.1", False, False),
    ],
)
def test_defaults(caller: Identity | None, topic: str, reads: bool, writes: bool) -> None:
    """Without rules: generations and one's own; services and staff write; what is left is for staff to read."""
    assert NO_RULES.may_subscribe(topic, caller, NONE) is reads
    assert NO_RULES.may_publish(topic, caller, NONE) is writes


def test_the_most_specific_pattern_decides() -> None:
    """Wherever it stands; and any rule goes before a default."""
    rules = TopicRules(
        (rule("orders.>"), rule("orders.secret.*", subscribe=STAFF), rule("generation.*", subscribe=NOBODY))
    )
    assert rules.may_subscribe("orders.1", ADA, NONE)
    assert not rules.may_subscribe("orders.secret.1", ADA, NONE)
    assert not rules.may_subscribe("generation.1", ADA, NONE)
    assert rules.may_subscribe("user.7", ADA, NONE)


def test_roles_and_scopes() -> None:
    """One of the roles and all of the scopes."""
    rules = TopicRules(
        (rule("t", subscribe=Right(roles=frozenset({"a", "b"}), scopes=frozenset({"x", "y"}))),)
    )
    of_b = Identity(method="jwt", user_id="7", consumer="ada", roles=frozenset({"b"}))
    assert rules.may_subscribe("t", of_b, frozenset({"x", "y", "z"}))
    assert not rules.may_subscribe("t", of_b, frozenset({"x"}))
    assert not rules.may_subscribe("t", ADA, frozenset({"x", "y"}))


def test_nothing_configured_lets_anybody_speak_as_the_gateway() -> None:
    """A rule may open the gateway's own topics to readers, never to writers."""
    rules = TopicRules((rule("gateway.>", publish=Right("user")),))
    assert rules.may_subscribe("gateway.breakers", ADA, NONE)
    assert not rules.may_publish("gateway.breakers", STAFFER, NONE)


@given(st.text(max_size=8))
def test_topics_are_what_the_contract_says(text: str) -> None:
    """Letters, digits and ._:- alone, and at least one."""
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-")
    assert bool(is_topic(text)) is (bool(text) and set(text) <= allowed)
    assert is_topic("a" * 200)
    assert not is_topic("a" * 201)


def test_subjects_of_the_bus() -> None:
    """Each once, as the rules say them."""
    first, second = (TopicRule(name, (compile_pattern(name),), bus_subject="orders.>") for name in "ab")
    assert TopicRules((first, second, rule("c"))).bus_subjects == ("orders.>",)


def test_a_provider_s_user_is_nobody_s_account() -> None:
    """Whatever subject and name the provider gives: the own topic has the provider's name in it."""
    outside = Identity(method="jwt", user_id="7", name="ada", consumer="azure:7", provider="azure")
    named = TopicRules((TopicRule("n", (compile_pattern("mine.${user.name}"),)),))

    assert not NO_RULES.may_subscribe("user.7", outside, frozenset())
    assert NO_RULES.may_subscribe("user.azure:7", outside, frozenset())
    assert NO_RULES.may_subscribe("user.7", ADA, frozenset())
    assert named.may_subscribe("mine.ada", ADA, frozenset())
    assert not named.may_subscribe("mine.ada", outside, frozenset())
