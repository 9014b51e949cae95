"""D: What was counted of calendar quotas, for a store that forgets, and who had it counted anew."""

from django.db import models

from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH

BUCKET_LENGTH = 200


class QuotaCount(models.Model):
    """One bucket in its newest window: the most that any worker saw. The name is that of the store."""

    bucket = models.CharField(max_length=BUCKET_LENGTH, unique=True)
    count = models.BigIntegerField()
    ends_s = models.BigIntegerField(db_index=True)
    resets = models.PositiveIntegerField(default=0)
    """What a worker counted before it knew of the last one is not written any more."""

    class Meta:
        ordering = ["bucket"]
        verbose_name = "count of a calendar quota"
        verbose_name_plural = "counts of calendar quotas"

    def __str__(self) -> str:
        return f"{self.bucket}: {self.count}"


class QuotaReset(models.Model):
    """Somebody had a bucket counted anew. It is the order to workers, and stays as history."""

    bucket = models.CharField(max_length=BUCKET_LENGTH, db_index=True)
    number = models.PositiveIntegerField()
    """Of the bucket's resets."""
    count = models.BigIntegerField()
    """What was forgotten."""
    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=WHO_LENGTH)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "reset of a count"
        verbose_name_plural = "resets of counts"

    def __str__(self) -> str:
        return self.bucket
