"""D: Breakers as they were last, what operators want of them, and how they came to it."""

from django.db import models

NAME_LENGTH = 100
WHO_LENGTH = 200
REASON_LENGTH = 500
STATES = (("closed", "closed"), ("open", "open"), ("half_open", "half open"))
FORCES = (("open", "open"), ("closed", "closed"))


class BreakerState(models.Model):
    """The breaker of one service: what is measured, as workers wrote it down, and what somebody forced."""

    service = models.CharField(max_length=NAME_LENGTH, unique=True)
    state = models.CharField(max_length=10, choices=STATES, default="closed")
    period = models.BigIntegerField(default=0)
    since = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=60, blank=True)
    requests = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    window_s = models.FloatField(default=0.0)
    counted_at = models.DateTimeField(null=True, blank=True)
    errors = models.JSONField(default=list, blank=True)
    forced = models.CharField(max_length=10, choices=FORCES, blank=True)
    forced_until = models.DateTimeField(null=True, blank=True)
    forced_at = models.DateTimeField(null=True, blank=True)
    forced_by = models.CharField(max_length=WHO_LENGTH, blank=True)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    resets = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["service"]
        verbose_name = "breaker"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["closed", "open", "half_open"]), name="breaker_state"
            ),
            models.CheckConstraint(
                condition=models.Q(forced__in=["", "open", "closed"]), name="breaker_forced"
            ),
        ]

    def __str__(self) -> str:
        return self.service

    @property
    def effective(self) -> str:
        """What holds: what is forced wins over what is measured."""
        return self.forced or self.state


class BreakerTransition(models.Model):
    """One change. Without `by`, it came of what workers measured, or of time."""

    service = models.CharField(max_length=NAME_LENGTH)
    at = models.DateTimeField(db_index=True)
    before = models.CharField(max_length=10)
    after = models.CharField(max_length=10)
    cause = models.CharField(max_length=60)
    by = models.CharField(max_length=WHO_LENGTH, blank=True)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    requests = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "breaker transition"
        indexes = [models.Index(fields=["service", "-at"], name="breaker_history")]

    def __str__(self) -> str:
        return f"{self.service}: {self.before} → {self.after}"
