"""D: Proxied WebSocket connections as their workers told of them last, and operators' words to end some."""

from django.db import models

from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH
from resilience.rows.targets import NODE_LENGTH, URL_LENGTH
from routing.rows.base import NAME_LENGTH

USER_LENGTH = 300
ADDRESS_LENGTH = 64


class LiveSocket(models.Model):
    """One connection. `node` and `number` are its worker's; a row that is not `seen_at` any more has lost it."""

    node = models.CharField("worker", max_length=NODE_LENGTH)
    number = models.BigIntegerField()
    user = models.CharField(max_length=USER_LENGTH, blank=True)
    address = models.CharField(max_length=ADDRESS_LENGTH, blank=True)
    route = models.CharField(max_length=NAME_LENGTH)
    service = models.CharField(max_length=NAME_LENGTH)
    target = models.CharField(max_length=URL_LENGTH)
    since = models.DateTimeField(db_index=True)
    received = models.BigIntegerField("bytes from the client", default=0)
    sent = models.BigIntegerField("bytes to the client", default=0)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-since", "-pk"]
        verbose_name = "live connection"
        constraints = [models.UniqueConstraint(fields=["node", "number"], name="live_socket")]

    def __str__(self) -> str:
        return f"{self.user or self.address} on {self.route}"


class SocketEnding(models.Model):
    """Somebody ended connections. It is the order to workers, and stays as history.

    With `node`, the one with `number`; else all, or all of `route`.
    """

    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=WHO_LENGTH)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    route = models.CharField(max_length=NAME_LENGTH, blank=True)
    node = models.CharField("worker", max_length=NODE_LENGTH, blank=True)
    number = models.BigIntegerField(default=0)
    what = models.CharField(max_length=500)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "ending of connections"
        verbose_name_plural = "endings of connections"

    def __str__(self) -> str:
        return self.what
