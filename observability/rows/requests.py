"""D: Requests that were kept for staff to look at, and whom policies in mode log would have refused."""

from django.db import models

from resilience.rows.targets import NODE_LENGTH, URL_LENGTH
from routing.rows.base import NAME_LENGTH

ID_LENGTH = 128
TRACE_LENGTH = 32
METHOD_LENGTH = 32
TEXT_LENGTH = 2000
HOST_LENGTH = 255
CALLER_LENGTH = 300
CODE_LENGTH = 32
ADDRESS_LENGTH = 64
WOULD_LENGTH = 200
MESSAGE_LENGTH = 500


class KeptRequest(models.Model):
    """One finished request: what went wrong, and a sample of the rest. `facts`: see `observability.requests.kept`."""

    at = models.DateTimeField(db_index=True)
    node = models.CharField(max_length=NODE_LENGTH)
    request_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    trace_id = models.CharField(max_length=TRACE_LENGTH, db_index=True)
    method = models.CharField(max_length=METHOD_LENGTH)
    scheme = models.CharField(max_length=10, blank=True)
    host = models.CharField(max_length=HOST_LENGTH, blank=True)
    path = models.CharField(max_length=TEXT_LENGTH)
    query = models.CharField(max_length=TEXT_LENGTH, blank=True)
    route = models.CharField(max_length=NAME_LENGTH, blank=True)
    service = models.CharField(max_length=NAME_LENGTH, blank=True)
    target = models.CharField(max_length=URL_LENGTH, blank=True)
    status = models.SmallIntegerField()
    code = models.CharField(max_length=CODE_LENGTH, blank=True)
    consumer = models.CharField(max_length=CALLER_LENGTH, blank=True)
    auth_method = models.CharField(max_length=10, blank=True)
    client = models.CharField(max_length=ADDRESS_LENGTH, blank=True)
    duration_ms = models.FloatField()
    would = models.CharField(max_length=WOULD_LENGTH, blank=True)
    revision = models.BigIntegerField()
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "request"
        indexes = [
            models.Index(fields=["route", "id"], name="request_by_route"),
            models.Index(fields=["service", "id"], name="request_by_service"),
            models.Index(fields=["status", "id"], name="request_by_status"),
            models.Index(fields=["code", "id"], name="request_by_code"),
            models.Index(fields=["consumer", "id"], name="request_by_consumer"),
            models.Index(fields=["client", "id"], name="request_by_client"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def url(self) -> str:
        """With its query; secrets in it are masked."""
        return f"{self.path}?{self.query}" if self.query else self.path


class WouldRefuse(models.Model):
    """What one policy in mode log would have refused one caller on one route; all of it, not a sample."""

    digest = models.CharField(max_length=32, unique=True, editable=False)
    route = models.CharField(max_length=NAME_LENGTH, blank=True)
    policy = models.CharField(max_length=32)
    quota = models.CharField(max_length=NAME_LENGTH, blank=True)
    caller = models.CharField(max_length=CALLER_LENGTH)
    count = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    code = models.CharField(max_length=CODE_LENGTH)
    message = models.CharField(max_length=MESSAGE_LENGTH)
    request_id = models.CharField(max_length=ID_LENGTH)

    class Meta:
        ordering = ["-last_at", "-pk"]
        verbose_name = "caller that would be refused"
        verbose_name_plural = "callers that would be refused"
        indexes = [models.Index(fields=["route", "policy"], name="would_by_policy")]

    def __str__(self) -> str:
        return f"{self.caller} by {self.policy} of {self.route}"
