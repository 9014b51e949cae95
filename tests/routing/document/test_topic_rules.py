"""What the keys of a topic rule must be to each other."""

from typing import Any

import pytest

from routing.document.topic_rules import check_topic_rule, check_topics_apart
from tests.support.documents import lines


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({"topics": ["a.*", "b"]}, []),
        ({"topics": []}, ["E036 topics"]),
        ({"topics": ["a", "a"]}, ["E032 topics[1]"]),
        ({"topics": ["a"], "subscribe": {"roles": ["x", "x"]}}, ["E032 subscribe.roles[1]"]),
        ({"topics": ["gateway.breakers"], "subscribe": {"roles": ["x"]}}, []),
        ({"topics": ["gateway.>"], "publish": {"level": "user"}}, ["W005 topics[0]"]),
        ({"topics": 5, "subscribe": 5, "publish": {}}, []),
    ],
)
def test_one_rule(raw: dict[str, Any], found: list[str]) -> None:
    """What is malformed otherwise is not looked at."""
    assert [line.split(":")[0] for line in lines(check_topic_rule(raw))] == found


def test_no_pattern_is_in_two_rules() -> None:
    """Neither would be the more specific one."""
    rules = [{"topics": ["a", "b"]}, {"topics": ["c", "a"]}, 5, {"topics": 7}]
    assert lines(check_topics_apart(rules)) == ['E032 topics[1].topics[1]: "a" is in topics[0] already']
