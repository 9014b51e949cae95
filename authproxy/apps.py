"""D: The authproxy application."""

from django.apps import AppConfig


class AuthproxyConfig(AppConfig):
    """Who may pass, and passing it on."""

    name = "authproxy"
    verbose_name = "Access"

    def ready(self) -> None:
        import authproxy.admin.registrations  # noqa: F401 - what registers with admin does so now
        from authproxy import defaultroles, explaining, signals
        from routing import callers
        from routing.publishing import bind_audit

        signals.connect()
        bind_audit(defaultroles.record_changes)
        callers.bind(explaining.judge_of, explaining.caller_of)
