"""D: `manage.py quickstart`, which `make run` calls: prepare what is missing, then serve."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gateway_project import quickstart
from gateway_project.config import GatewayConfig
from gateway_project.server.supervisor import serve
from gateway_project.serving import shared_store
from routing.problems import ConfigurationInvalid


class Command(BaseCommand):
    """Serves the gateway, preparing an empty database for it first."""

    help = "Prepares an empty database (tables, demo, an admin account) and serves the gateway."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def handle(self, *_args: Any, **_options: Any) -> None:
        config: GatewayConfig = settings.CONFIG
        quickstart.migrate()
        password = quickstart.create_admin()
        addresses = quickstart.demo_addresses(os.environ)
        os.environ.update(addresses)
        try:
            quickstart.load_demo()
        except ConfigurationInvalid as error:
            raise CommandError(f"{quickstart.DEMO.name} was refused:\n{error}") from error
        demo = quickstart.serves_demo()
        upstreams = quickstart.start_upstreams(addresses) if demo else []

        def greet(urls: tuple[str, ...]) -> None:
            if demo:
                quickstart.await_upstreams(addresses)
            self.stdout.write(quickstart.banner(urls[0], password=password, demo=demo))

        try:
            with shared_store(config) as environ:
                code = serve(
                    host=config.gateway_host,
                    port=config.gateway_port,
                    workers=1,
                    role="all",
                    extra_env={**environ, **addresses},
                    on_ready=greet,
                )
        finally:
            quickstart.stop_upstreams(upstreams)
        if code:
            raise SystemExit(code)
