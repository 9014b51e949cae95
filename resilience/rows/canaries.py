"""D: Canaries as all workers follow them, what was counted of them, and how they came to it."""

from django.db import models

from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH

ROUTE_LENGTH = 100
MARK_LENGTH = 32
STAGES = (
    ("running", "running"),
    ("paused", "paused"),
    ("promoted", "promoted"),
    ("rolled_back", "rolled back"),
    ("ended", "ended"),
)


class CanaryState(models.Model):
    """The canary of one route. `period` counts its changes; `policy` is what the configuration asks for.

    `canary` and `others` are counts since the step began: [requests, failures, {bucket of duration: requests}].
    `revision` is the configuration in which it began, or (ended) in which there was none any more.
    """

    route = models.CharField(max_length=ROUTE_LENGTH, unique=True)
    service = models.CharField(max_length=ROUTE_LENGTH)
    mark = models.CharField(max_length=MARK_LENGTH)
    revision = models.BigIntegerField()
    policy = models.JSONField()
    period = models.BigIntegerField(default=0)
    step = models.PositiveIntegerField(default=0)
    stage = models.CharField(max_length=12, choices=STAGES, default="running")
    since = models.DateTimeField()
    by = models.CharField(max_length=WHO_LENGTH)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    canary = models.JSONField(default=list)
    others = models.JSONField(default=list)

    class Meta:
        ordering = ["route"]
        verbose_name = "canary"
        verbose_name_plural = "canaries"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(stage__in=[stage for stage, _ in STAGES]), name="canary_stage"
            )
        ]

    def __str__(self) -> str:
        return self.route


class CanaryEvent(models.Model):
    """One step or order. `requests` and `failures` are the canary's, of the step that ended by it."""

    route = models.CharField(max_length=ROUTE_LENGTH)
    service = models.CharField(max_length=ROUTE_LENGTH)
    at = models.DateTimeField(db_index=True)
    stage = models.CharField(max_length=12, choices=STAGES)
    step = models.PositiveIntegerField()
    percent = models.FloatField()
    by = models.CharField(max_length=WHO_LENGTH)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    requests = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "step of a canary"
        verbose_name_plural = "steps of canaries"
        indexes = [models.Index(fields=["route", "-at"], name="canary_history")]

    def __str__(self) -> str:
        return f"{self.route}: {self.stage} at {self.percent:g} %"
