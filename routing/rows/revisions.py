"""D: Revision (immutable, numbered), PendingChange (who touched the draft) and Node (who runs what)."""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q

from routing.fields import SectionField


class RevisionIsImmutable(TypeError):  # noqa: N818 - named as people say it
    """A revision is never changed or deleted; publish another one."""


class RevisionQuerySet(models.QuerySet["Revision"]):
    """Refuses what would change history."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise RevisionIsImmutable("revisions are never changed")

    def delete(self) -> NoReturn:
        raise RevisionIsImmutable("revisions are never deleted")


class Revision(models.Model):
    """One published configuration, whole. `document` is the canonical JSON text, exactly as digested."""

    number = models.PositiveBigIntegerField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    author = models.CharField(max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    message = models.TextField(blank=True)
    source = models.CharField(max_length=50)
    parent = models.PositiveBigIntegerField(null=True)
    document = models.TextField()
    digest = models.CharField(max_length=64)
    changes = SectionField(null=True)
    rows_key = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    """What `routing.rowskey` said of the rows that it was published from; empty where they went on to be a draft."""
    edits = SectionField(null=True)
    """Who had a hand in the draft that it was: `routing.drafts.pending_edits`. None: it was no draft."""

    objects = RevisionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        permissions = [("publish", "May publish, discard and roll back the configuration")]
        constraints = [models.CheckConstraint(condition=Q(number__gte=1), name="revision_number_from_one")]

    def __str__(self) -> str:
        return str(self.number)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise RevisionIsImmutable("revisions are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RevisionIsImmutable("revisions are never deleted")


class PendingChange(models.Model):
    """One edit of the draft since the live revision; its author may not publish it under review."""

    created_at = models.DateTimeField(auto_now_add=True)
    author = models.CharField(max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    source = models.CharField(max_length=50)
    message = models.TextField(blank=True)
    base = models.PositiveBigIntegerField(null=True, blank=True)
    """The revision that was live when it was made."""

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.author} ({self.source})"


class Node(models.Model):
    """One worker process and the revision that it serves; pruned when it stops reporting."""

    name = models.CharField(max_length=200, unique=True)
    pid = models.PositiveIntegerField()
    role = models.CharField(max_length=20)
    revision = models.PositiveBigIntegerField(null=True)
    since = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    heartbeat = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
