"""D: What changed about who may pass, for every worker to see within a second."""

from django.db import models


class IdentityChange(models.Model):
    """One subject's standing changed: what was known of it before this number no longer counts.

    Subjects are `user:PK`, `consumer:PK`, `key:PK`, `session:UUID`, `signing-keys` and `all`. Rows are pruned once
    every token issued before them has expired.
    """

    subject = models.CharField(max_length=64)
    reason = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.pk} {self.subject}"
