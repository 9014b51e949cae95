"""D: The routing application."""

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    """Services, routes and the revisions of them."""

    name = "routing"
    verbose_name = "Routing"
