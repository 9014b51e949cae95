"""D: The resilience application."""

from django.apps import AppConfig


class ResilienceConfig(AppConfig):
    """Load balancing, breakers, limits: what keeps services usable."""

    name = "resilience"
    verbose_name = "Resilience"
