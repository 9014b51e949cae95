"""D: The shapes of what the control API answers about the configuration."""

from typing import Any

from rest_framework import serializers

from authproxy.serializers import AnyValue, Shape


class ProblemShape(Shape):
    """One finding; `path` is its place in the document."""

    id = serializers.CharField()
    path = serializers.CharField()
    message = serializers.CharField()
    value = AnyValue()


class FieldChangeShape(Shape):
    """`before` or `after` is missing where the key was."""

    path = serializers.CharField()
    before = AnyValue(required=False)
    after = AnyValue(required=False)


class EntryChangeShape(Shape):
    kind = serializers.CharField()
    name = serializers.CharField()
    action = serializers.CharField()
    fields_ = FieldChangeShape(many=True, required=False)

    def get_fields(self) -> Any:
        """`fields` is DRF's own word, so the key cannot be declared by it."""
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


class ChangesShape(Shape):
    summary = serializers.CharField()
    entries = EntryChangeShape(many=True)


class OutcomeShape(Shape):
    """`revision` is the live one afterwards; `drafted`: somebody else must publish it."""

    outcome = serializers.ChoiceField(["unchanged", "published", "drafted", "previewed", "discarded"])
    revision = serializers.IntegerField(allow_null=True)
    changes = ChangesShape()
    pruned = serializers.ListField(child=serializers.CharField())
    warnings = ProblemShape(many=True)


class EditShape(Shape):
    at = serializers.DateTimeField()
    author = serializers.CharField()
    source: Any = serializers.CharField()
    message = serializers.CharField()


class RevisionShape(Shape):
    """`author` published it; `edits` are those that made the draft that it was, none if it was none."""

    number = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    author = serializers.CharField()
    message = serializers.CharField()
    source: Any = serializers.CharField()
    parent: Any = serializers.IntegerField(allow_null=True)
    digest = serializers.CharField()
    changes = ChangesShape(allow_null=True)
    edits = EditShape(many=True)


class RevisionsPage(Shape):
    revisions = RevisionShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class DiffShape(Shape):
    to = serializers.CharField()
    changes: Any = ChangesShape()

    def get_fields(self) -> Any:
        """`from` is a word of Python's."""
        return {"from": serializers.CharField(), **super().get_fields()}
