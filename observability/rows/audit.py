"""D: The audit trail as rows. The database itself refuses to change or to delete one (see the migration)."""

from typing import Any, ClassVar

from django.db import models


class AuditEvent(models.Model):
    """One change, for ever. `content` is the whole of it, in canonical form; the other columns are for finding it."""

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=60)
    actor = models.CharField(max_length=200)
    actor_kind = models.CharField(max_length=20)
    user_id = models.BigIntegerField(null=True)
    door = models.CharField(max_length=20)
    address = models.CharField(max_length=64)
    reason = models.CharField(max_length=1000)
    summary = models.CharField(max_length=500)
    words = models.CharField(max_length=1500)
    content = models.TextField()
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar[list[Any]] = ["-id"]
        indexes: ClassVar[list[Any]] = [
            # Behind the order, what the other filters ask for: whatever they leave out, its row is not read.
            models.Index(fields=["action", "-id", "actor", "door"], name="audit_by_action"),
            models.Index(fields=["actor", "-id", "action", "door"], name="audit_by_actor"),
            models.Index(fields=["door", "-id", "action", "actor"], name="audit_by_door"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.action} by {self.actor}"


class AuditObject(models.Model):
    """What an event was about: one row for each object, so that an object's history is found at once."""

    event_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=300)

    class Meta:
        default_permissions = ()
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["kind", "name", "-event_id"], name="audit_object"),
            models.Index(fields=["name", "-event_id"], name="audit_object_name"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
