"""Topic rules of a snapshot."""

from types import SimpleNamespace
from typing import Any

from routing.document.topics import TopicRuleSpec
from routing.topicassembly import assemble_topics
from routing.topics import NO_RULES
from tests.support.snapshots import snapshot_of

RULE = {
    "name": "orders",
    "topics": ["orders.*", "shops.${consumer.id}"],
    "subscribe": {"level": "user", "roles": ["clerk"]},
    "publish": {"level": "nobody"},
    "bus": {"subject": "orders.>"},
}


def caller(**more: Any) -> Any:
    usual = {
        "kind": "user",
        "address": "7",
        "provider": "",
        "name": "ada",
        "consumer": "ada",
        "plan": "",
        "is_staff": False,
    }
    return SimpleNamespace(**{**usual, "roles": frozenset(), **more})


def test_rules_are_compiled() -> None:
    """By the document's words; what they do not name is as ever."""
    rules = snapshot_of({"version": 1, "topics": [RULE]}).topics
    clerk = caller(roles=frozenset({"clerk"}))
    assert rules.may_subscribe("orders.1", clerk, frozenset())
    assert rules.may_subscribe("shops.ada", clerk, frozenset())
    assert not rules.may_subscribe("shops.bob", clerk, frozenset())
    assert not rules.may_subscribe("orders.1", caller(), frozenset())
    assert not rules.may_publish("orders.1", caller(kind="service"), frozenset())
    assert rules.may_subscribe("generation.1", caller(), frozenset())
    assert rules.bus_subjects == ("orders.>",)


def test_rules_that_stay_are_the_same_object() -> None:
    """So that nobody judges anew."""
    specs = [TopicRuleSpec.model_validate(RULE)]
    first = assemble_topics(specs, NO_RULES)
    assert assemble_topics(specs, first) is first
    assert assemble_topics([], NO_RULES) is NO_RULES
    assert assemble_topics([], first) is not first
