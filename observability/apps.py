"""D: The observability application."""

from django.apps import AppConfig


class ObservabilityConfig(AppConfig):
    """Logs, metrics, health and the audit trail."""

    name = "observability"
    verbose_name = "Observability"

    def ready(self) -> None:
        import observability.admin.alerts
        import observability.admin.audit
        import observability.admin.logonly
        import observability.admin.objectives
        import observability.admin.requests  # noqa: F401 - what registers with admin does so now
        from observability.audit import writing
        from routing import auditing
        from routing.publishing import bind_audit

        auditing.bind(writing.write)
        bind_audit(writing.published)
