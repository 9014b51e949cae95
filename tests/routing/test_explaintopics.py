"""Who may do what with a topic, told with the reasons."""

import pytest

from authproxy.identity import Identity
from routing.explaintopics import explain_topic
from routing.topicpatterns import compile_pattern
from routing.topics import Right, TopicRule, TopicRules

ADA = Identity(method="jwt", user_id="7", name="ada", consumer="ada", roles=frozenset({"clerk"}))
ROOT = Identity(method="session", user_id="1", name="root", consumer="root", is_staff=True)
RULES = TopicRules(
    (
        TopicRule("wide", (compile_pattern("orders.>"),), Right("admin")),
        TopicRule(
            "narrow",
            (compile_pattern("orders.${user.id}"), compile_pattern("bills.*")),
            Right(roles=frozenset({"clerk"}), scopes=frozenset({"read", "see"})),
        ),
    )
)
SCOPES = frozenset({"read", "see"})


def test_the_winner_and_the_losers() -> None:
    """Each rule, the gateway's own as well, says why it does not decide."""
    found = explain_topic(RULES, "orders.7", ADA, SCOPES, revision=3)
    assert (found.allowed, found.decided_by.rule, found.decided_by.pattern) == (
        True,
        "narrow",
        "orders.${user.id}",
    )
    because = {each.pattern: each.because for each in found.passed_over}
    assert because["orders.>"] == "it fits, and is less specific"
    assert because["bills.*"] == because["generation.*"] == "it does not fit"
    assert because["user.${user.id}"].endswith("of this caller")
    assert found.to_json()["decided_by"] == {
        "rule": "narrow",
        "pattern": "orders.${user.id}",
        "source": "document",
    }
    assert found.lines()[0] == "ada may subscribe orders.7: the rule lets this caller"
    assert "passed over: wide, pattern orders.>: it fits, and is less specific" in found.lines()


def test_rules_of_the_document_go_before_the_built_in_ones() -> None:
    own = TopicRules((TopicRule("mine", (compile_pattern(">"),), Right("admin")),))
    found = explain_topic(own, "generation.1", ADA, SCOPES)
    assert (found.allowed, found.because) == (False, "the level admin is needed")
    assert "it fits; rules of the document go before it" in {each.because for each in found.passed_over}


@pytest.mark.parametrize(
    ("topic", "caller", "scopes", "action", "allowed", "because"),
    [
        ("orders.8", ADA, SCOPES, "subscribe", False, "the level admin is needed"),
        ("orders.8", ROOT, SCOPES, "subscribe", True, "the rule lets this caller"),
        ("orders.7", ADA, frozenset({"see"}), "subscribe", False, "the scopes read are missing"),
        ("bills.1", ROOT, SCOPES, "subscribe", False, "one of the roles clerk is needed"),
        ("bills.1", None, SCOPES, "subscribe", False, "without credentials nobody may"),
        ("bills.1", ADA, SCOPES, "publish", False, "the level service is needed"),
        (
            "gateway.breakers",
            ROOT,
            SCOPES,
            "publish",
            False,
            "only the gateway itself publishes below gateway.",
        ),
        ("nobody.else", ADA, SCOPES, "subscribe", False, "the level admin is needed"),
    ],
)
def test_the_reason_is_what_decides(topic, caller, scopes, action, allowed, because) -> None:  # type: ignore[no-untyped-def]
    """And the verdict is that of the data plane."""
    found = explain_topic(RULES, topic, caller, scopes, action=action)
    decides = RULES.may_subscribe if action == "subscribe" else RULES.may_publish
    assert (found.allowed, found.because) == (allowed, because)
    assert found.allowed is decides(topic, caller, scopes)
