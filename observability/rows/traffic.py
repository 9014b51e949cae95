"""D: What requests were asked and how they went, added up by time: a row for each span, subject and worker.

Moments are epoch seconds: they are compared, divided and grouped by, in both databases and in very many rows.
"""

from django.db import models
from django.db.models import Q

from observability.rollups.minutes import CONSUMER_LENGTH, NAME_LENGTH

WORKER_LENGTH = 16


class TrafficRow(models.Model):
    """Of a minute as one worker saw it; or, without worker, of a longer span as all of them did."""

    span = models.PositiveIntegerField("seconds")
    at = models.BigIntegerField("start")
    worker = models.CharField(max_length=WORKER_LENGTH, blank=True)
    scope = models.CharField(max_length=8)  # all, service, route or connects; and those of rollups.tallies
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    service = models.CharField(max_length=NAME_LENGTH, blank=True)  # of a route
    count = models.BigIntegerField()
    errors = models.BigIntegerField()
    refused = models.BigIntegerField()
    seconds = models.FloatField()
    upstream_s = models.FloatField()
    received = models.BigIntegerField()
    sent = models.BigIntegerField()
    statuses = models.TextField()  # JSON
    buckets = models.TextField()  # JSON, of observability.traffic.histogram
    is_summed = models.BooleanField(default=False)  # is in the row of the next longer span

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["span", "scope", "name", "at", "worker"], name="traffic_row"),
        ]
        indexes = [
            models.Index(fields=["span", "scope", "at", "name", "count"], name="traffic_ranking"),
            models.Index(
                fields=["span", "scope", "at"], name="traffic_unsummed", condition=Q(is_summed=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.name} at {self.at}"


class CallerRow(models.Model):
    """What one consumer asked of one route; of the biggest, and of all others together."""

    span = models.PositiveIntegerField("seconds")
    at = models.BigIntegerField("start")
    worker = models.CharField(max_length=WORKER_LENGTH, blank=True)
    route = models.CharField(max_length=NAME_LENGTH, blank=True)
    consumer = models.CharField(max_length=CONSUMER_LENGTH)
    count = models.BigIntegerField()
    errors = models.BigIntegerField()
    refused = models.BigIntegerField()
    is_summed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["span", "at", "route", "consumer", "worker"], name="caller_row"),
        ]
        indexes = [
            models.Index(fields=["span", "at"], name="caller_unsummed", condition=Q(is_summed=False)),
        ]

    def __str__(self) -> str:
        return f"{self.consumer} on {self.route} at {self.at}"
