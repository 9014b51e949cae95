"""D: The realtime application."""

from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    """WebSocket and server-sent events."""

    name = "realtime"
    verbose_name = "Realtime"
