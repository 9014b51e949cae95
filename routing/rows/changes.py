"""D: DraftComment (what reviewers say about a draft) and Schedule (a change that comes and goes by itself)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from routing.schedules import State

TEXT_LENGTH = 4000
WHY_LENGTH = 500


class DraftComment(models.Model):
    """One remark about the draft; kept when the draft is published (`revision`) or thrown away."""

    created_at = models.DateTimeField(auto_now_add=True)
    author = models.CharField(max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField(max_length=TEXT_LENGTH)
    is_rejection = models.BooleanField(default=False)
    is_open = models.BooleanField(default=True)
    """Of the draft that there is now."""
    revision = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["revision"], name="comment_revision"),
            models.Index(fields=["is_open"], condition=Q(is_open=True), name="comment_open"),
        ]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:50]}"


class Schedule(models.Model):
    """A change of the configuration with its time. `edits` and `applied` are JSON texts of `routing.edits`."""

    created_at = models.DateTimeField(auto_now_add=True)
    author = models.CharField(max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    authors = models.JSONField(default=list)
    """Everybody who has a hand in it: who scheduled it, and the authors of the draft that it was."""
    reason = models.CharField(max_length=WHY_LENGTH, blank=True)
    zone = models.CharField("time zone", max_length=64)
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until", null=True, blank=True)
    edits = models.TextField()
    summary = models.CharField("changes", max_length=500)
    state = models.CharField(max_length=10, choices=[(each.value, each.value) for each in State])
    approved_by = models.CharField(max_length=200, blank=True)
    applied = models.TextField(default="[]")
    begun_revision = models.PositiveBigIntegerField("begun as revision", null=True, blank=True)
    ended_revision = models.PositiveBigIntegerField("taken back as revision", null=True, blank=True)
    note = models.TextField(blank=True)
    """Why it is in conflict, or who cancelled it."""

    class Meta:
        ordering = ["-pk"]
        verbose_name = "scheduled change"
        indexes = [
            models.Index(
                fields=["starts_at"],
                condition=Q(state__in=["waiting", "scheduled", "active"]),
                name="schedule_open",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[each.value for each in State]), name="schedule_state"
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=models.F("starts_at")), name="schedule_ends_later"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.summary}"
