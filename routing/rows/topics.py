"""D: TopicRule: who may read and write which topics of events."""

from django.db import models

from routing.fields import WordsField
from routing.rows.base import Named
from routing.rows.services import section


class TopicRule(Named):
    """A rule; of all patterns that fit a topic, the most specific one decides."""

    topics = WordsField(null=True, blank=True)
    subscribe = section("Who may read: {level, roles, scopes}.")
    publish = section("Who may write: {level, roles, scopes}.")
    bus = section("What of the message hub becomes events: {subject}.")

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="topic_rule_has_name")]

    def clean(self) -> None:
        from routing.cleaning import clean_policy

        super().clean()
        clean_policy(self)
