"""D: Alerts as rows: who is told, what of, and how the telling went."""

from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q

NAME_LENGTH = 100
KEY_LENGTH = 500
SUMMARY_LENGTH = 1000
ERROR_LENGTH = 300
WEBHOOK, EMAIL = "webhook", "email"
WAITING, SENT, FAILED = "waiting", "sent", "failed"


class AlertReceiver(models.Model):
    """Who is told. The secret is write-only: it is kept sealed, and shown once if the gateway made it."""

    name = models.CharField(max_length=NAME_LENGTH, unique=True)
    kind = models.CharField(max_length=10, choices=[(WEBHOOK, "Webhook"), (EMAIL, "E-mail")], default=WEBHOOK)
    enabled = models.BooleanField(default=True)
    url = models.CharField("URL", max_length=2000, blank=True)
    sealed = models.BinaryField(default=b"")
    addresses = models.TextField(blank=True)
    alerts = models.JSONField(default=list, blank=True)  # kinds of conditions; empty: all
    least = models.CharField(
        "severity",
        max_length=10,
        choices=[("warning", "all"), ("critical", "critical only")],
        default="warning",
    )
    dropped = models.BigIntegerField(default=0, editable=False)  # for want of room
    note = models.CharField(max_length=ERROR_LENGTH, blank=True, editable=False)  # why it was switched off

    class Meta:
        ordering = ["name"]
        verbose_name = "alert receiver"
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="receiver_has_name")]

    def __str__(self) -> str:
        return self.name

    def in_trail(self) -> dict[str, Any]:
        """What the audit trail shows instead: a URL's path may be a secret, and where it differs must be seen."""
        if not self.url:
            return {}
        mark = sha256(self.url.encode()).hexdigest()[:6]
        return {"url": f"{self.shown_url()} ({mark})"}

    def shown_url(self) -> str:
        """For whoever may only look: its path may be a secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}/…" if self.url else ""


class Incident(models.Model):
    """Something that was wrong. Of those that go on, there is one of each kind and key."""

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=KEY_LENGTH)
    subject = models.CharField(max_length=KEY_LENGTH)
    summary = models.CharField(max_length=SUMMARY_LENGTH)
    severity = models.CharField(max_length=10)
    details = models.JSONField(default=dict)
    at = models.DateTimeField("since", db_index=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(resolved_at=None), name="incident_goes_on_once"
            )
        ]

    def __str__(self) -> str:
        return self.summary


class AlertDelivery(models.Model):
    """One message to one receiver: waiting, sent, or given up."""

    receiver = models.ForeignKey(AlertReceiver, on_delete=models.CASCADE, related_name="deliveries")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=10)  # firing, resolved, test
    message_id = models.CharField("id", max_length=40, unique=True)
    state = models.CharField(
        max_length=10, choices=[(each, each) for each in (WAITING, SENT, FAILED)], default=WAITING
    )
    attempts = models.PositiveIntegerField(default=0)
    at = models.DateTimeField("made", db_index=True)
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveIntegerField(default=0)
    error = models.CharField("last error", max_length=ERROR_LENGTH, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "alert delivery"
        verbose_name_plural = "alert deliveries"
        indexes = [models.Index(fields=["next_at"], name="delivery_due", condition=Q(state=WAITING))]

    def __str__(self) -> str:
        return f"{self.event} to {self.receiver_id}"
