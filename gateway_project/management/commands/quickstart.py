"""D: `manage.py quickstart`, which `make run` calls: prepare what is missing, then serve."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gateway_project import quickstart
from gateway_project.config import GatewayConfig
from gateway_project.server.supervisor import serve
from gateway_project.serving import shared_store
from routing.locking import StoreUnavailable, clear_errors
from routing.problems import ConfigurationInvalid

INTERRUPTED = 130


class Command(BaseCommand):
    """Serves the gateway, preparing an empty database for it first."""

    help = "Prepares an empty database (tables, demo, an admin account) and serves the gateway."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            code = self._prepare_and_serve(settings.CONFIG)
        except ConfigurationInvalid as error:
            raise CommandError(f"{quickstart.DEMO.name} was refused:\n{error}") from error
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            code = INTERRUPTED
        if code:
            raise SystemExit(code)

    def _prepare_and_serve(self, config: GatewayConfig) -> int:
        addresses = quickstart.demo_addresses(os.environ)
        os.environ.update(addresses)
        with clear_errors():
            quickstart.migrate()
            password = quickstart.create_admin()
            quickstart.load_demo()
            demo = quickstart.serves_demo()

        greeted = False

        def greet(urls: tuple[str, ...]) -> None:
            nonlocal greeted
            greeted = True
            if demo:
                quickstart.await_upstreams(addresses)
            self.stdout.write(quickstart.banner(urls[0], password=password, demo=demo))
            self.stdout.flush()  # into a pipe or a file, too, it must be there before anything else happens

        upstreams = quickstart.start_upstreams(addresses) if demo else []
        try:
            with shared_store(config) as environ:
                return serve(
                    host=config.gateway_host,
                    port=config.gateway_port,
                    workers=1,
                    role="all",
                    extra_env={**environ, **addresses},
                    on_ready=greet,
                )
        finally:
            quickstart.stop_upstreams(upstreams)
            if password is not None and not greeted:  # it is kept nowhere else
                self.stdout.write(quickstart.account(password))
