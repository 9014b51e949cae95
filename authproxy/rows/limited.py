"""D: Whom quotas refused of late, for people to look at."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.utils import timezone

from authproxy.limited import caller_text
from routing.rows.base import NAME_LENGTH

CALLER_LENGTH = 500
PERIOD_LENGTH = 32
SEES_CALLERS: Final = "authproxy.view_limitedcaller"
"""Who may see who calls, here and on other pages."""


class LimitedCaller(models.Model):
    """What one quota refused, or would have refused, one caller on one route. Rows are kept for an hour."""

    digest = models.CharField(max_length=32, unique=True, editable=False)  # of quota, caller and route
    quota = models.CharField(max_length=NAME_LENGTH)
    caller = models.CharField(max_length=CALLER_LENGTH)
    route = models.CharField(max_length=NAME_LENGTH, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    refused = models.BigIntegerField(default=0)
    would_refuse = models.BigIntegerField("would be refused", default=0)
    is_enforced = models.BooleanField(default=True)  # of the last one, as are those that follow
    limit = models.BigIntegerField()
    period = models.CharField(max_length=PERIOD_LENGTH)
    retry_after_s = models.FloatField()
    request_ids = models.TextField(blank=True)  # of the last ones, the newest first

    class Meta:
        ordering = ["-last_at"]

    def __str__(self) -> str:
        return f"{caller_text(self.caller)} by quota {self.quota}"

    @property
    def room_at(self) -> datetime:
        """When the next request passes, if nobody used what flows back."""
        return self.last_at + timedelta(seconds=self.retry_after_s)

    @property
    def is_limited(self) -> bool:
        """Whether a request would be refused still."""
        return self.is_enforced and self.room_at > timezone.now()

    @property
    def request_id(self) -> str:
        """Of the last one."""
        return self.request_ids.partition(" ")[0]
