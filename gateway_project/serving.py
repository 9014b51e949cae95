"""D: `gateway serve`: reads the flags, checks what can be checked, and hands over to the supervisor."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from gateway_project.config import GatewayConfig
from gateway_project.embedded import start_valkey
from gateway_project.server.supervisor import serve
from routing.commands.console import CommandRefused, Console
from routing.lastgood import read_revision
from routing.problems import ConfigurationInvalid
from routing.validation import check_document

ROLES = ("all", "data", "control")


def add(subparsers: Any) -> None:
    """Registers the subcommand."""
    config: GatewayConfig = settings.CONFIG
    parser = subparsers.add_parser("serve", help="run the gateway")
    parser.add_argument(
        "--host", default=config.gateway_host, help=f"address (default {config.gateway_host})"
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=config.gateway_port,
        help=f"port (default {config.gateway_port}; 0: any)",
    )
    parser.add_argument("--workers", type=_workers, default=1, metavar="N", help="processes (default 1)")
    parser.add_argument("--role", choices=ROLES, default="all", help="what is served (default all)")
    parser.add_argument(
        "--revision", type=Path, metavar="FILE", help="serve an exported document, with no database at all"
    )
    parser.add_argument(
        "--grace", type=_seconds, metavar="SECONDS", help="how long to go on accepting after SIGTERM"
    )
    parser.set_defaults(run=run_serve)


def run_serve(options: argparse.Namespace, _console: Console) -> int:
    """`gateway serve`."""
    config: GatewayConfig = settings.CONFIG
    if options.workers > 1 and config.redis.mode == "process":
        raise CommandRefused(
            "REDIS_URL=none keeps shared state in one process: use --workers 1, or give a REDIS_URL"
        )
    if options.revision is not None:
        if options.role == "control":
            raise CommandRefused(
                "--revision serves a file without a database, which --role control is there for"
            )
        _check_revision(options.revision)
    times = {} if options.grace is None else {"grace_s": options.grace}
    with shared_store(config) as environ:
        if options.workers > 1 and config.redis.mode == "embedded" and not environ:
            raise CommandRefused("the embedded Valkey did not start: use --workers 1, or give a REDIS_URL")
        return serve(
            host=options.host,
            port=options.port,
            workers=options.workers,
            role=options.role,
            revision=options.revision,
            extra_env=environ,
            **times,
        )


@contextmanager
def shared_store(config: GatewayConfig) -> Iterator[dict[str, str]]:
    """Runs the embedded server where no other is configured; what workers need in their environment to find it."""
    server = start_valkey(config.var_dir) if config.redis.mode == "embedded" else None
    try:
        yield {"REDIS_URL": server.url} if server else {}
    finally:
        if server is not None:
            server.stop()


def _check_revision(file: Path) -> None:
    """A file that cannot be served is refused before any worker starts."""
    try:
        record = read_revision(file)
    except OSError as error:
        raise CommandRefused(f"{file}: {error.strerror or error}") from error
    checked = check_document(record.document, env=os.environ, api_prefix=settings.CONFIG.api_prefix)
    if checked.problems:
        raise ConfigurationInvalid(checked.problems)


def _port(text: str) -> int:
    return _between(text, 0, 65535, "a port")


def _workers(text: str) -> int:
    return _between(text, 1, 1024, "a number of workers")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return value


def _between(text: str, low: int, high: int, what: str) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what} from {low} to {high}")
    return int(text)
