"""P: Rules of topics: who may subscribe and publish, and what of the bus becomes events."""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator
from pydantic import WithJsonSchema as JsonSchema

from routing.document.base import MARK_TEXT, Spec, option, refusal
from routing.document.scalars import FILLABLE, Name, Role, Scope
from routing.problems import quote
from routing.topicpatterns import PatternFaulty, compile_pattern

TopicLevel = Literal["user", "service", "admin", "nobody"]
_PATTERN_SCHEMA = rf"^([A-Za-z0-9._:*-]|\$\{{[a-z.]+\}})*>?$|{FILLABLE}"


def parse_topic_pattern(value: object) -> str:
    """A pattern as it is written; refuses what is none, with the reason."""
    if not isinstance(value, str):
        raise refusal("gateway.E004", f"must be a text, not {quote(value)}")
    try:
        compile_pattern(value)
    except PatternFaulty as fault:
        raise refusal("gateway.E043", f"{quote(value)} {fault}") from None
    return value


def parse_subject(value: object) -> str:
    """A pattern without variables: the bus knows no callers."""
    text = parse_topic_pattern(value)
    if compile_pattern(text).variables:
        raise refusal("gateway.E043", f"{quote(text)} has a variable; the bus knows no callers")
    return text


TopicPatternText = Annotated[
    str,
    PlainValidator(parse_topic_pattern),
    JsonSchema({"type": "string", "pattern": _PATTERN_SCHEMA, "examples": ["orders.*", "user.${user.id}"]}),
]
SubjectText = Annotated[
    str,
    PlainValidator(parse_subject),
    JsonSchema({"type": "string", "pattern": rf"^[A-Za-z0-9._:*-]*>?$|{FILLABLE}", "examples": ["orders.>"]}),
]


class SubscribeSpec(Spec):
    """Who may read."""

    level: TopicLevel = option(
        "user",
        "user (any authenticated caller), service (service consumers and staff), admin (staff) or nobody.",
    )
    roles: tuple[Role, ...] = option((), "Roles of which the caller must have one.")
    scopes: tuple[Scope, ...] = option((), "Scopes that the caller must have, all of them.")


class PublishSpec(SubscribeSpec):
    """Who may write."""

    level: TopicLevel = option(
        "service",
        "user (any authenticated caller), service (service consumers and staff), admin (staff) or nobody.",
    )


class BusSpec(Spec):
    """What of the message hub becomes events."""

    subject: SubjectText = Field(
        description="Messages on such subjects become events of the topic with the same name: orders.>."
    )


class TopicRuleSpec(Spec):
    """Who may read and write topics. Of all patterns that fit a topic, the most specific one decides."""

    name: Name = Field(description="Name of the rule.")
    managed_by: Name | None = option(None, MARK_TEXT, examples=["ci"])
    topics: tuple[TopicPatternText, ...] = Field(
        description="Patterns: * stands for one part, > at the end for all that is left, ${user.id}, ${user.name}, "
        "${user.roles}, ${consumer.id}, ${consumer.kind} and ${consumer.plan} for what the caller is.",
    )
    subscribe: SubscribeSpec = option(SubscribeSpec(), "Who may read the topics.")
    publish: PublishSpec = option(PublishSpec(), "Who may write to the topics.")
    bus: BusSpec | None = option(None, "What of the message hub becomes events of these topics.")
