"""P: Who may read and write which topic of events.

Theory of operation. A rule has patterns; of all patterns that fit a topic and a caller, the most specific one decides,
wherever it stands in the document: from the left, a literal part beats a variable, which beats `*`, which beats `>`.
Where no rule fits, the contract's defaults do (`DEFAULTS`), and what they do not name is for staff to read.
Patterns are walked by sets of positions, never by backtracking: a long topic costs no more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from routing.topicpatterns import TopicPattern, compile_pattern

MAX_TOPIC: Final = 200  # characters
Level = Literal["user", "service", "admin", "nobody"]
OWN: Final = "gateway."
"""What the gateway says of itself begins so; nobody else publishes there."""

is_topic = re.compile(rf"[A-Za-z0-9._:-]{{1,{MAX_TOPIC}}}").fullmatch
"""Truthy for the name of a topic: 1 to 200 of A-Z, a-z, 0-9 and `._:-`."""


class Caller(Protocol):
    """What rules ask of an identity."""

    @property
    def kind(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def consumer(self) -> str: ...
    @property
    def plan(self) -> str: ...
    @property
    def roles(self) -> frozenset[str]: ...
    @property
    def is_staff(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Right:
    """What a caller needs: a level (service: service consumers and staff), one of the roles, all of the scopes."""

    level: Level = "user"
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    def lets(self, caller: Caller, scopes: frozenset[str]) -> bool:
        """Whether a caller with these scopes has it."""
        return (
            self._has_level(caller)
            and (not self.roles or not self.roles.isdisjoint(caller.roles))
            and self.scopes <= scopes
        )

    def _has_level(self, caller: Caller) -> bool:
        if self.level == "service":
            return caller.is_staff or caller.kind == "service"
        return caller.is_staff if self.level == "admin" else self.level == "user"


READERS: Final = Right()
WRITERS: Final = Right("service")
STAFF: Final = Right("admin")
NOBODY: Final = Right("nobody")


@dataclass(frozen=True, slots=True)
class TopicRule:
    """Who may read and write the topics that one of the patterns fits."""

    name: str
    patterns: tuple[TopicPattern, ...]
    subscribe: Right = READERS
    publish: Right = WRITERS
    bus_subject: str = (
        ""  # messages of the bus on such subjects become events of the topic with the same name
    )


def default_rule(name: str, pattern: str, subscribe: Right, publish: Right = WRITERS) -> TopicRule:
    """A rule of the gateway's own."""
    return TopicRule(name, (compile_pattern(pattern),), subscribe, publish)


DEFAULTS: Final = (
    default_rule("default: generations", "generation.*", READERS),
    default_rule("default: a user's own", "user.${user.id}", READERS),
    default_rule("default: the gateway's own", f"{OWN}>", STAFF, NOBODY),
)
_ELSEWHERE: Final = default_rule("default: any other topic", ">", STAFF)


@dataclass(frozen=True, slots=True)
class Decision:
    """What decided, for people who ask: `pattern` is the one of `rule` that fitted."""

    rule: TopicRule
    pattern: TopicPattern


def _most_specific_first(rules: Iterable[TopicRule]) -> list[Decision]:
    every = [Decision(rule, pattern) for rule in rules for pattern in rule.patterns]
    return sorted(every, key=lambda decision: decision.pattern.rank)


@dataclass(frozen=True, slots=True)
class TopicRules:
    """The rules of a snapshot: the configured ones go before the defaults."""

    rules: tuple[TopicRule, ...] = ()
    _sorted: tuple[Decision, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ranked = (*_most_specific_first(self.rules), *_most_specific_first(DEFAULTS))
        object.__setattr__(self, "_sorted", ranked)

    def decide(self, topic: str, caller: Caller | None) -> Decision:
        """The rule that decides on a topic for a caller. None: for nobody in particular."""
        for decision in self._sorted:
            if decision.pattern.fits(topic, caller):
                return decision
        return Decision(_ELSEWHERE, _ELSEWHERE.patterns[0])

    @property
    def in_order(self) -> tuple[tuple[TopicRule, TopicPattern], ...]:
        """Every rule with each of its patterns, the defaults too; the first that fits decides."""
        return tuple((decision.rule, decision.pattern) for decision in self._sorted)

    def may_subscribe(self, topic: str, identity: Caller | None, scopes: frozenset[str]) -> bool:
        """Whether the caller may read the topic. `scopes` are those that it has now; nobody in particular may not."""
        return identity is not None and self.decide(topic, identity).rule.subscribe.lets(identity, scopes)

    def may_publish(self, topic: str, identity: Caller | None, scopes: frozenset[str]) -> bool:
        """Whether the caller may write to the topic."""
        if identity is None or topic.startswith(OWN):
            return False
        return self.decide(topic, identity).rule.publish.lets(identity, scopes)

    @property
    def bus_subjects(self) -> tuple[str, ...]:
        """The subjects of the bus whose messages become events, as the rules say them: `orders.>`, `a.*.b`."""
        return tuple(dict.fromkeys(rule.bus_subject for rule in self.rules if rule.bus_subject))


NO_RULES: Final = TopicRules()
