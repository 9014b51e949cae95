"""P: What the keys of a topic rule must be to each other, and rules to each other."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from routing.document.findings import Finding, repeated
from routing.problems import quote
from routing.topics import OWN

Raw = Mapping[str, Any]


def check_topic_rule(raw: Raw) -> Iterator[Finding]:
    """A rule has patterns; none of them lets anybody publish as the gateway."""
    patterns = raw.get("topics")
    if patterns == []:
        yield Finding("gateway.E036", ("topics",), "needs at least one pattern, such as orders.*")
    yield from repeated(patterns, ("topics",))
    for key in ("subscribe", "publish"):
        right = raw.get(key)
        for words in ("roles", "scopes"):
            yield from repeated(right.get(words) if isinstance(right, Mapping) else None, (key, words))
    if raw.get("publish") is not None and isinstance(patterns, list):
        for index, pattern in enumerate(patterns):
            if isinstance(pattern, str) and pattern.startswith(OWN):
                message = (
                    f"publish has no effect on {quote(pattern)}: only the gateway itself publishes there"
                )
                yield Finding("gateway.W005", ("topics", index), message, pattern)


def check_topics_apart(rules: Sequence[Any]) -> Iterator[Finding]:
    """No pattern stands in two rules: neither would be the more specific one."""
    first: dict[str, int] = {}
    for index, rule in enumerate(rules):
        patterns = rule.get("topics") if isinstance(rule, Mapping) else None
        for place, pattern in enumerate(patterns if isinstance(patterns, list) else ()):
            if isinstance(pattern, str) and (other := first.setdefault(pattern, index)) != index:
                message = f"{quote(pattern)} is in topics[{other}] already"
                yield Finding("gateway.E032", ("topics", index, "topics", place), message, pattern)
