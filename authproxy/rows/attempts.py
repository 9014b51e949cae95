"""D: Failed sign-ins and registrations, counted for lockout."""

from django.db import models


class FailedSignIn(models.Model):
    """How often a sign-in failed of late, for one bucket: an account name, an address, or both together.

    Registrations of an address are a bucket, too, in which all of them count.
    `bucket` is a keyed hash, so that the table tells nobody which names were tried.
    """

    bucket = models.BinaryField(max_length=32, unique=True)
    failures = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    locked_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-last_at"]

    def __str__(self) -> str:
        return f"{self.failures} failures"
