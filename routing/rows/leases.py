"""D: Lease: an address that a service registered by itself. Runtime state: in no revision and no export.

Trust is what staff decided about an account that registers for a service; LeaseCount numbers what changes.
"""

import uuid

from django.db import models
from django.db.models import Q

from routing.rows.base import NAME_LENGTH

WHO_LENGTH = 250
WHY_LENGTH = 500
URL_LENGTH = 300


class LeaseState(models.TextChoices):
    """`pending` is quarantine: it takes no traffic until somebody approves it."""

    PENDING = "pending", "waiting for approval"
    APPROVED = "approved", "approved"
    ENDED = "ended", "ended"


class Lease(models.Model):
    """One registration, from its beginning to its end. It is kept for a while after its end, as history."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.CharField(max_length=NAME_LENGTH)
    url = models.CharField(max_length=URL_LENGTH)
    weight = models.PositiveIntegerField(default=1)
    check_endpoint = models.CharField(max_length=2000)
    check_interval_s = models.FloatField()
    ttl_s = models.FloatField(null=True)
    consumer = models.CharField("registered by", max_length=WHO_LENGTH)
    state = models.CharField(max_length=10, choices=LeaseState.choices)
    created_at = models.DateTimeField()
    renewed_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=WHO_LENGTH, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=WHO_LENGTH, blank=True)
    ended_why = models.CharField(max_length=WHY_LENGTH, blank=True)
    changed = models.BigIntegerField(default=0)
    """The LeaseCount of its last change; a renewal is none."""

    class Meta:
        verbose_name = "discovered target"
        ordering = ["-created_at", "pk"]
        indexes = [
            models.Index(fields=["changed"], name="lease_changed"),
            models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="lease_expires"),
            models.Index(fields=["consumer", "service"], name="lease_consumer"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="lease_ended"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["url", "service"], condition=Q(ended_at=None), name="lease_live_once"
            ),
            models.CheckConstraint(condition=Q(state__in=LeaseState.values), name="lease_state"),
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False)
                | (~Q(state="ended") & Q(ended_at__isnull=True)),
                name="lease_ended_iff_ended",
            ),
            models.CheckConstraint(condition=Q(weight__gte=1), name="lease_weight"),
        ]

    def __str__(self) -> str:
        return f"{self.url} for {self.service}"


class Trust(models.Model):
    """What was decided last about one account's registrations for one service."""

    service = models.CharField(max_length=NAME_LENGTH)
    consumer = models.CharField(max_length=WHO_LENGTH)
    is_trusted = models.BooleanField()
    decided_at = models.DateTimeField()
    decided_by = models.CharField(max_length=WHO_LENGTH)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "consumer"], name="trust_once")]

    def __str__(self) -> str:
        return f"{self.consumer} for {self.service}"


class LeaseCount(models.Model):
    """One row that everybody who changes leases raises first: numbers are seen in the order of the commits."""

    number = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_lease_count")]

    def __str__(self) -> str:
        return str(self.number)
