"""D: Service and Target: who can answer."""

from django.db import models
from django.db.models import Q

from routing.fields import SectionField, WrittenField
from routing.rows.base import Named

PROTOCOLS = ("http", "https", "h2c", "h2", "grpc")
LOAD_BALANCERS = ("round_robin", "weighted_round_robin", "least_connections", "random", "consistent_hash")


def written_choice(field: str, choices: tuple[str, ...]) -> Q:
    """One of the choices, absent, or filled in from the environment later."""
    return (
        Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__in": choices}) | Q(**{f"{field}__contains": "${"})
    )


def section(help_text: str = "") -> SectionField:
    """A column for one structured section of the document."""
    return SectionField(null=True, blank=True, help_text=help_text)


class Service(Named):
    """An upstream service: one or more targets that answer alike."""

    protocol = models.CharField(max_length=200, null=True, blank=True)
    load_balancing = models.CharField(max_length=200, null=True, blank=True)
    hash_on = section("What consistent hashing keys on.")
    slow_start = WrittenField(null=True, blank=True)
    panic = models.BooleanField(null=True, blank=True, help_text="With no healthy target, try them all.")
    max_concurrency = models.IntegerField(null=True, blank=True)
    timeout = section("Connect, read and total.")
    retries = section()
    breaker = section()
    health = section()
    ejection = section()
    tls = section()
    openapi = section()
    descriptors = models.TextField(null=True, blank=True)
    max_connections = models.IntegerField(null=True, blank=True, help_text="Per target and worker.")

    class Meta:
        ordering = ["name"]
        permissions = [("operate", "May force breakers and drain targets")]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="service_has_name"),
            models.CheckConstraint(condition=written_choice("protocol", PROTOCOLS), name="service_protocol"),
            models.CheckConstraint(
                condition=written_choice("load_balancing", LOAD_BALANCERS), name="service_load_balancing"
            ),
            models.CheckConstraint(condition=Q(max_connections__gte=1), name="service_max_connections"),
            models.CheckConstraint(condition=Q(max_concurrency__gte=1), name="service_max_concurrency"),
        ]

    def clean(self) -> None:
        from routing.cleaning import clean_service

        super().clean()
        clean_service(self)


class Target(models.Model):
    """One address of a service."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="targets")
    position = models.PositiveIntegerField(default=0, editable=False)
    url = models.TextField()
    weight = models.IntegerField(null=True, blank=True)
    zone = WrittenField(null=True, blank=True)
    backup = models.BooleanField(null=True, blank=True)
    drain = models.BooleanField(null=True, blank=True)

    class Meta:
        ordering = ["service_id", "position", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(url=""), name="target_has_url"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="target_weight"),
        ]

    def __str__(self) -> str:
        return self.url

    def clean(self) -> None:
        from routing.cleaning import clean_target

        super().clean()
        clean_target(self)
