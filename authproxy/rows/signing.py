"""D: The keys that sign the gateway's tokens."""

from django.db import models


class SigningKey(models.Model):
    """A key made by rotation. It verifies from `created_at`, signs from `activates_at`, and is gone at `retires_at`."""

    kid = models.CharField(max_length=64, unique=True, editable=False)
    algorithm = models.CharField(max_length=10, editable=False)
    sealed = models.BinaryField(editable=False)  # the key itself, encrypted under SECRET_KEY
    created_at = models.DateTimeField(auto_now_add=True)
    activates_at = models.DateTimeField(editable=False)
    retires_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-activates_at", "-pk"]

    def __str__(self) -> str:
        return self.kid
