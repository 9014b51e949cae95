"""D: The routing application."""

from django.apps import AppConfig


class RoutingConfig(AppConfig):
    """Services, routes and the revisions of them."""

    name = "routing"
    verbose_name = "Routing"

    def ready(self) -> None:
        import routing.admin.registrations  # noqa: F401 - what registers with admin does so now
