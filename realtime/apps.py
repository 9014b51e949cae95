"""D: The realtime application."""

from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    """WebSocket and server-sent events."""

    name = "realtime"
    verbose_name = "Realtime"

    def ready(self) -> None:
        import realtime.admin.registrations  # noqa: F401 - what registers with admin does so now
