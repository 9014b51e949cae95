"""D: Route, RouteBackend and RouteDefaults: which request goes where, and under which rules."""

from typing import Any

from django.db import models
from django.db.models import Q

from routing.fields import WordsField, WrittenField
from routing.rows.base import Named, Versioned
from routing.rows.services import Service, section, written_choice

PATH_TYPES = ("exact", "prefix", "template", "regex")
AUTH_LEVELS = ("public", "user", "admin", "service")


class Destination(models.TextChoices):
    """What answers; the value is the document's key."""

    SERVICE = "service", "Service"
    BACKENDS = "backends", "Weighted services"
    REDIRECT = "redirect", "Redirect"
    RESPOND = "respond", "Fixed answer"
    AGGREGATE = "aggregate", "Several services in one answer"
    PUBLISH = "publish", "Message topic"
    GRPC = "grpc", "gRPC method"
    INHERITED = "", "From the defaults"


class Route(Named):
    """One route. A column that is NULL leaves its key to the defaults."""

    hosts = WordsField(null=True, blank=True)
    path = models.TextField(null=True, blank=True)
    path_type = models.CharField(max_length=200, null=True, blank=True)
    methods = WordsField(null=True, blank=True)
    headers = section("Header name to value, or to {regex: …}.")
    query = section("Parameter name to value.")
    priority = models.IntegerField(null=True, blank=True)
    enabled = models.BooleanField(null=True, blank=True)

    destination = models.CharField(
        max_length=20, choices=Destination.choices, blank=True, default=Destination.SERVICE
    )
    service = models.ForeignKey(
        Service, null=True, blank=True, on_delete=models.PROTECT, related_name="routes"
    )
    redirect = section()
    respond = section()
    aggregate = section()
    publish = section()
    grpc = section()
    sticky = section()
    force = section("With several services: {header: NAME} or {cookie: NAME} whose value names one.")
    canary = section()

    auth_level = models.CharField(max_length=200, null=True, blank=True)
    auth = section("Beside the level: scopes, roles, methods, reject_invalid, mode.")
    forward_identity = models.CharField(max_length=200, null=True, blank=True)
    forward_credentials = models.CharField(max_length=200, null=True, blank=True)
    quotas = section("Names of quotas.")
    ip = section()
    limits = section()
    require_headers = section()
    validate = section()
    rewrite = section()
    request_headers = section()
    response_headers = section()
    transform = section()
    status_map = section()
    envelope = models.BooleanField(null=True, blank=True)
    cache = section()
    compress = models.BooleanField(null=True, blank=True)
    compression = section("Only with compress: algorithms, sizes, types, and when not.")
    cors = section()
    mirror = section()
    timeout = WrittenField(null=True, blank=True)
    websocket = section()
    allow_encoded_slashes = models.BooleanField(null=True, blank=True)
    fault = section()
    slo = section()
    log = section()

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["destination", "name"], name="route_destination_name")]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="route_has_name"),
            models.CheckConstraint(condition=written_choice("path_type", PATH_TYPES), name="route_path_type"),
            models.CheckConstraint(
                condition=written_choice("auth_level", AUTH_LEVELS), name="route_auth_level"
            ),
            models.CheckConstraint(condition=Q(destination__in=Destination.values), name="route_destination"),
            models.CheckConstraint(
                condition=Q(destination=Destination.SERVICE, service__isnull=False)
                | (~Q(destination=Destination.SERVICE) & Q(service__isnull=True)),
                name="route_service_iff_destination",
            ),
        ]

    def clean(self) -> None:
        from routing.cleaning import clean_route

        super().clean()
        clean_route(self)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.drop_other_destinations()
        super().save(*args, **kwargs)

    def drop_other_destinations(self) -> None:
        """Forget what was written for destinations that are not chosen, so that there is one truth."""
        if self.destination != Destination.SERVICE:
            self.service = None
            self.grpc = None
        for other in ("redirect", "respond", "aggregate", "publish"):
            if other != self.destination:
                setattr(self, other, None)


class RouteBackend(models.Model):
    """One of several weighted services behind a route."""

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="backends")
    position = models.PositiveIntegerField(default=0, editable=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="backend_of")
    weight = models.IntegerField(null=True, blank=True)

    class Meta:
        ordering = ["route_id", "position", "pk"]
        constraints = [models.CheckConstraint(condition=Q(weight__gte=0), name="backend_weight")]

    def __str__(self) -> str:
        return f"{self.service_id}:{self.weight}"


class RouteDefaults(Versioned):
    """The document's `defaults`: one row, made when first needed."""

    values = section("Any route keys; a route's own key replaces the whole key here.")

    class Meta:
        verbose_name = verbose_name_plural = "route defaults"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_row_of_defaults")]

    def __str__(self) -> str:
        return "defaults"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)
