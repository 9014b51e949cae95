"""D: What operators had purged from the response cache. Each row is an order that every worker carries out once."""

from django.db import models

from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH

LONGEST_VALUE = 2000

KINDS = (("all", "everything"), ("route", "route"), ("tag", "tag"), ("url", "URL"))


class CachePurge(models.Model):
    """Answers that were asked for before it are served no more."""

    kind = models.CharField(max_length=10, choices=KINDS)
    value = models.CharField(max_length=LONGEST_VALUE, blank=True)
    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=WHO_LENGTH)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "cache purge"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["all", "route", "tag", "url"]), name="cache_purge_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}".strip()
