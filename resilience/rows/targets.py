"""D: Targets as they were checked last, who leaves them out, who put them back, and who leads."""

from django.db import models

from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH

SERVICE_LENGTH = 100
URL_LENGTH = 2000
NODE_LENGTH = 200
WHY_LENGTH = 500


class TargetHealth(models.Model):
    """What the last check of a target said, and which node says so. No row: nobody has checked it.

    A target that is ejected has a row as well; without `checked_at`, nobody has checked it.
    """

    service = models.CharField(max_length=SERVICE_LENGTH)
    target = models.CharField(max_length=URL_LENGTH)
    healthy = models.BooleanField(null=True)
    since = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(db_index=True, null=True, blank=True)
    ok = models.BooleanField()
    why = models.CharField(max_length=WHY_LENGTH, blank=True)
    status = models.PositiveSmallIntegerField(default=0)
    latency_s = models.FloatField(default=0.0)
    run = models.PositiveIntegerField(default=0)
    node = models.CharField(max_length=NODE_LENGTH)

    class Meta:
        ordering = ["service", "target"]
        verbose_name = "target"
        constraints = [models.UniqueConstraint(fields=["service", "target"], name="target_health")]

    def __str__(self) -> str:
        return f"{self.target} of {self.service}"


class TargetEjection(models.Model):
    """One worker leaves a target out, because requests to it failed. It ends by the clock, whatever the row says."""

    service = models.CharField(max_length=SERVICE_LENGTH)
    target = models.CharField(max_length=URL_LENGTH)
    node = models.CharField(max_length=NODE_LENGTH)
    since = models.DateTimeField()
    until = models.DateTimeField(db_index=True)
    times = models.PositiveIntegerField(default=1)
    errors = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["service", "target", "node"]
        verbose_name = "ejection of a target"
        verbose_name_plural = "ejections of targets"
        constraints = [models.UniqueConstraint(fields=["service", "target", "node"], name="target_ejection")]

    def __str__(self) -> str:
        return f"{self.target} of {self.service} by {self.node}"


class TargetReadmission(models.Model):
    """Somebody put a target back. It is the order to workers, and stays as history."""

    service = models.CharField(max_length=SERVICE_LENGTH)
    target = models.CharField(max_length=URL_LENGTH)
    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=WHO_LENGTH)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "readmission of a target"
        verbose_name_plural = "readmissions of targets"
        indexes = [models.Index(fields=["service", "-at"], name="readmission_history")]

    def __str__(self) -> str:
        return f"{self.target} of {self.service}"


class LeaderLease(models.Model):
    """Who leads something, until when."""

    name = models.CharField(max_length=100, unique=True)
    holder = models.CharField(max_length=NODE_LENGTH)
    until = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
