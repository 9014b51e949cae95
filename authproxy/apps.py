"""D: The authproxy application."""

from django.apps import AppConfig


class AuthproxyConfig(AppConfig):
    """Who may pass, and passing it on."""

    name = "authproxy"
    verbose_name = "Access"
