"""D: The gateway_project application."""

from django.apps import AppConfig


class GatewayProjectConfig(AppConfig):
    """The assembled gateway; an application for the sake of its commands."""

    name = "gateway_project"
    verbose_name = "Gateway"

    def ready(self) -> None:
        from gateway_project import forgetting, peeking
        from gateway_project.signin import doors, ownaccount

        doors.install()
        ownaccount.install()
        peeking.install()
        forgetting.install()
