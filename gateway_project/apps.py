"""D: The gateway_project application."""

from django.apps import AppConfig


class GatewayProjectConfig(AppConfig):
    """The assembled gateway; an application for the sake of its commands."""

    name = "gateway_project"
    verbose_name = "Gateway"
