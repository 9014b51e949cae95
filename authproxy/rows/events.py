"""D: Security events, kept for people to look at; the audit trail subscribes to the same events."""

from django.db import models


class SecurityEvent(models.Model):
    """Something that whoever watches over access wants to know. Repetitions within a moment are one row."""

    kind = models.CharField(max_length=40, db_index=True)
    at = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=1)
    actor = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()
