"""P: From checked specifications to the topic rules of a snapshot."""

from collections.abc import Iterable

from routing.document.topics import SubscribeSpec, TopicRuleSpec
from routing.topicpatterns import compile_pattern
from routing.topics import Right, TopicRule, TopicRules


def assemble_topics(specs: Iterable[TopicRuleSpec], previous: TopicRules) -> TopicRules:
    """Rules that are what they were are the same object, so that nobody judges anew."""
    rules = TopicRules(tuple(_rule(spec) for spec in specs))
    return previous if rules == previous else rules


def _rule(spec: TopicRuleSpec) -> TopicRule:
    return TopicRule(
        name=spec.name,
        patterns=tuple(map(compile_pattern, spec.topics)),
        subscribe=_right(spec.subscribe),
        publish=_right(spec.publish),
        bus_subject="" if spec.bus is None else spec.bus.subject,
    )


def _right(spec: SubscribeSpec) -> Right:
    return Right(spec.level, frozenset(spec.roles), frozenset(spec.scopes))
