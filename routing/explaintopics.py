"""P: Who may read or write a topic, and by which rule; every other rule with the reason why it does not decide."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from routing.topicpatterns import TopicPattern
from routing.topics import OWN, Caller, Right, TopicRule, TopicRules

Action = Literal["subscribe", "publish"]
NOBODY_CALLS: Final = "without credentials nobody may"


@dataclass(frozen=True, slots=True)
class Decider:
    """A rule and the one of its patterns that is spoken of; `source` is document or built-in."""

    rule: str
    pattern: str
    source: str


@dataclass(frozen=True, slots=True)
class Loser(Decider):
    """One that does not decide, and why."""

    because: str


@dataclass(frozen=True, slots=True)
class TopicExplanation:
    """What somebody may do with a topic. `needs` is what the rule asks for; `because` why it is (not) allowed."""

    revision: int
    topic: str
    action: Action
    caller: str | None
    allowed: bool
    because: str
    needs: str
    decided_by: Decider
    passed_over: tuple[Loser, ...]

    def to_json(self) -> dict[str, Any]:
        """As the control API and `--json` show it."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For people."""
        who = self.caller or "nobody in particular"
        verb = "may" if self.allowed else "may not"
        by = self.decided_by
        found = [
            f"{who} {verb} {self.action}{'' if self.action == 'subscribe' else ' to'} {self.topic}: {self.because}",
            f"decided by {by.rule} ({by.source}), pattern {by.pattern}; {self.action} needs {self.needs}",
        ]
        losers = self.passed_over
        return found + [
            f"passed over: {each.rule}, pattern {each.pattern}: {each.because}" for each in losers
        ]


def explain_topic(
    rules: TopicRules,
    topic: str,
    caller: Caller | None,
    scopes: frozenset[str],
    *,
    action: Action = "subscribe",
    revision: int = 0,
) -> TopicExplanation:
    """Says what `may_subscribe` and `may_publish` decide, and why."""
    decision = rules.decide(topic, caller)
    right = decision.rule.subscribe if action == "subscribe" else decision.rule.publish
    may = rules.may_subscribe if action == "subscribe" else rules.may_publish
    return TopicExplanation(
        revision=revision,
        topic=topic,
        action=action,
        caller=None if caller is None else caller.name,
        allowed=may(topic, caller, scopes),
        because=_because(topic, caller, scopes, right, action),
        needs=_needs(right),
        decided_by=_named(rules, decision.rule, decision.pattern),
        passed_over=tuple(_losers(rules, topic, caller, decision.pattern)),
    )


def _losers(rules: TopicRules, topic: str, caller: Caller | None, winner: TopicPattern) -> list[Loser]:
    found: list[Loser] = []
    is_behind = False
    for rule, pattern in rules.in_order:
        if pattern is winner:
            is_behind = True
            continue
        named = _named(rules, rule, pattern)
        if not pattern.fits(topic, caller):
            because = f"it does not fit{_as_what(pattern, caller)}"
        elif is_behind and named.source == "built-in":
            because = "it fits; rules of the document go before it"
        else:
            because = "it fits, and is less specific"
        found.append(Loser(named.rule, named.pattern, named.source, because))
    return found


def _as_what(pattern: TopicPattern, caller: Caller | None) -> str:
    if not pattern.variables:
        return ""
    if caller is None:
        return ": without credentials its variables stand for nothing"
    return " with what its variables stand for of this caller"


def _because(topic: str, caller: Caller | None, scopes: frozenset[str], right: Right, action: Action) -> str:
    if caller is None:
        return NOBODY_CALLS
    if action == "publish" and topic.startswith(OWN):
        return f"only the gateway itself publishes below {OWN}"
    if not Right(right.level).lets(caller, scopes):
        return f"the level {right.level} is needed"
    if right.roles and right.roles.isdisjoint(caller.roles):
        return f"one of the roles {', '.join(sorted(right.roles))} is needed"
    if missing := right.scopes - scopes:
        return f"the scopes {', '.join(sorted(missing))} are missing"
    return "the rule lets this caller"


def _needs(right: Right) -> str:
    parts = [f"level {right.level}"]
    if right.roles:
        parts.append(f"one of the roles {', '.join(sorted(right.roles))}")
    if right.scopes:
        parts.append(f"the scopes {', '.join(sorted(right.scopes))}")
    return ", ".join(parts)


def _named(rules: TopicRules, rule: TopicRule, pattern: TopicPattern) -> Decider:
    return Decider(rule.name, pattern.text, "document" if rule in rules.rules else "built-in")
