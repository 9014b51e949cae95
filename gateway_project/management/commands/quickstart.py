"""D: `manage.py quickstart`, which `make run` and `make example` call: prepare what is missing, then serve."""

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from gateway_project import beginning, examplekeys, examples, quickstart
from gateway_project.config import GatewayConfig
from gateway_project.examplekeys import Credentials
from gateway_project.examples import DEMO, Example, Upstream
from gateway_project.quickstart import Process, Program
from gateway_project.server.ports import keep_port
from gateway_project.server.supervisor import serve
from gateway_project.serving import shared_store
from gateway_project.systemfile import SystemFault
from routing.locking import StoreUnavailable, clear_errors
from routing.problems import ConfigurationInvalid

INTERRUPTED = 130


class Command(BaseCommand):
    """Serves the gateway, preparing an empty database for it first."""

    help = "Prepares an empty database (tables, demo, an admin account) and serves the gateway."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        known = ", ".join(examples.names())
        parser.add_argument(
            "--example", metavar="SYSTEM", help=f"an example system in place of the demo: {known}"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        wanted: str | None = options["example"]
        try:
            example = DEMO if wanted is None else examples.named(wanted)
        except (examples.UnknownExample, SystemFault) as error:
            raise CommandError(str(error)) from error
        try:
            code = _Start(self, settings.CONFIG, example).run()
        except ConfigurationInvalid as error:
            raise CommandError(f"{example.document.name} was refused:\n{error}") from error
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            code = INTERRUPTED
        if code:
            raise SystemExit(code)


class _Start:
    """One start: what was made for it, and what must be ended after it."""

    def __init__(self, command: Command, config: GatewayConfig, example: Example) -> None:
        self._out = command.stdout
        self._config = config
        self._example = example
        self._begun = beginning.current()
        self._addresses = self._begun.addresses or beginning.addresses_of(example, os.environ)
        self._password: str | None = None
        self._port = config.gateway_port or keep_port()  # services are told before it serves
        self._is_greeted = False
        self._is_served = False
        self._credentials = Credentials()
        self._programs: dict[str, Program] = {}
        self._upstreams: dict[str, Process] = {}

    def run(self) -> int:
        """Prepares, serves until it is told to stop, and tidies up; the exit status."""
        os.environ.update(self._addresses)
        with clear_errors():
            self._prepare()
        try:
            if self._is_served:  # health checks are to find them when they begin
                self._start_upstreams(self._gateway(), listening=True)
            if self._begun.has_store:
                connections.close_all()  # a fork of this process would take them for its own
            store: AbstractContextManager[dict[str, str]]
            store = nullcontext({}) if self._begun.has_store else shared_store(self._config)
            with store as environ:
                beginning.heed_interrupt()
                return serve(
                    host=self._config.gateway_host,
                    port=self._port,
                    workers=1,
                    role="all",
                    extra_env={**environ, **self._addresses},
                    on_ready=self._greet,
                    goes_on=self._begun.has_store,
                )
        finally:
            quickstart.stop_upstreams(self._upstreams.values())
            if self._password is not None and not self._is_greeted:  # it is kept nowhere else
                self._out.write(quickstart.account(self._password))

    def _prepare(self) -> None:
        quickstart.migrate()
        self._password = quickstart.create_admin()
        is_new = quickstart.load(self._example)
        self._credentials = quickstart.credentials_of(self._example, self._config.var_dir, is_new=is_new)
        self._is_served = quickstart.serves(self._example)
        if not self._is_served and self._example is not DEMO:
            self._out.write(
                f"The database holds another configuration, so {self._example.name} was not loaded. "
                "Give it a VAR_DIR or DATABASE_URL of its own."
            )

    def _greet(self, urls: tuple[str, ...]) -> None:
        self._is_greeted = True
        if self._is_served:
            self._start_upstreams(urls[0], listening=False)
        example = self._example if self._is_served else None
        text = quickstart.banner(
            urls[0], password=self._password, example=example, credentials=self._credentials
        )
        self._out.write(text)
        self._out.flush()  # into a pipe or a file, too, it must be there before anything else happens

    def _gateway(self) -> str:
        host = self._config.gateway_host
        return f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{self._port}"  # noqa: S104

    def _start_upstreams(self, url: str, *, listening: bool) -> None:
        example, addresses = self._example, self._addresses
        wanted = quickstart.programs(example, addresses, self._credentials, gateway=url, listening=listening)
        self._programs |= wanted
        self._upstreams |= quickstart.start_upstreams(wanted, self._begun.waiting)
        if listening:
            quickstart.await_upstreams(example, addresses, self._upstreams)
        elif example is not DEMO:
            services = {
                each.name: self._told(each) for each in example.upstreams if each.name in self._upstreams
            }
            examplekeys.keep(self._config.var_dir, self._credentials, url=url, services=services)

    def _told(self, upstream: Upstream) -> dict[str, Any]:
        """What `example.json` says about one: enough to start it again by hand."""
        program, addresses = self._programs[upstream.name], self._addresses
        common = {name: os.environ[name] for name in self._example.environment if name in os.environ}
        return {
            "url": addresses.get(upstream.variable, ""),
            "pid": self._upstreams[upstream.name].pid,
            "command": program.command,
            "environment": {**common, **addresses, **program.environment},
        }
