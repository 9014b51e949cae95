"""D: Events that wait for the message hub, and those that could not be handled, as rows."""

from django.db import models

TOPIC_LENGTH = 200
ID_LENGTH = 200
TYPE_LENGTH = 200
REASON_LENGTH = 300


class _Kept(models.Model):
    """An event with all that belongs to it."""

    event_id = models.CharField("event", max_length=ID_LENGTH)
    topic = models.CharField(max_length=TOPIC_LENGTH)
    time = models.CharField("time of the event", max_length=40, blank=True)
    content_type = models.CharField(max_length=TYPE_LENGTH, blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    size = models.IntegerField("bytes")

    class Meta:
        abstract = True


class WaitingEvent(_Kept):
    """Answered with 202 while the hub was away. It goes out in the order of its number, and then goes."""

    at = models.DateTimeField("kept since")

    class Meta:
        ordering = ["pk"]
        verbose_name = "waiting event"

    def __str__(self) -> str:
        return f"{self.topic} {self.event_id}"


class DeadLetter(_Kept):
    """What could not be handled: `direction` "out" to the hub, "in" from it."""

    at = models.DateTimeField(db_index=True)
    direction = models.CharField(
        max_length=3, choices=[("in", "from the hub"), ("out", "to the hub")], default="in"
    )
    reason = models.CharField(max_length=REASON_LENGTH)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "dead letter"

    def __str__(self) -> str:
        return f"{self.topic} {self.event_id}"
