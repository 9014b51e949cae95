"""Topic rules in the document."""

from typing import Any

import pytest
from pydantic import ValidationError

from routing.document.topics import TopicRuleSpec


def spec(**keys: Any) -> TopicRuleSpec:
    return TopicRuleSpec.model_validate({"name": "t", "topics": ["a.*"], **keys})


def test_who_may_by_default() -> None:
    """Whoever is signed in reads, services write."""
    found = spec()
    assert (found.subscribe.level, found.publish.level, found.bus) == ("user", "service", None)


@pytest.mark.parametrize("pattern", ["a", "a.*", "a.>", ">", "user.${user.id}", "${consumer.plan}-news"])
def test_patterns(pattern: str) -> None:
    assert spec(topics=[pattern]).topics == (pattern,)


@pytest.mark.parametrize("pattern", ["", "a b", "a.>.b", "a>", "${user.shoe}", "x" * 201, 5])
def test_what_is_no_pattern(pattern: Any) -> None:
    with pytest.raises(ValidationError):
        spec(topics=[pattern])


def test_the_bus_knows_no_callers() -> None:
    assert spec(bus={"subject": "orders.>"}).bus is not None
    with pytest.raises(ValidationError, match="no callers"):
        spec(bus={"subject": "user.${user.id}"})
