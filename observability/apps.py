"""D: The observability application."""

from django.apps import AppConfig


class ObservabilityConfig(AppConfig):
    """Logs, metrics, health and the audit trail."""

    name = "observability"
    verbose_name = "Observability"
