"""D: `manage.py gateway …`: finds the subcommand, and turns refusals into a line on stderr and an exit code."""

import argparse
import os
import socket
import sys
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError

from authproxy.commands import (
    apikey,
    breaker,
    cache,
    canary,
    consumer,
    discovery,
    drain,
    keys,
    limited,
    quota,
    target,
    user,
)
from gateway_project import serving
from gateway_project.embedded import socket_path
from observability.commands import audit, logonly, replay, requests, slo
from realtime.commands import bus, events, sockets
from routing.auditing import Origin, coming_from
from routing.commands import documents, explain, history, importing, schedules
from routing.commands.console import REFUSED, CommandRefused, Console, author
from routing.locking import StoreUnavailable, clear_errors
from routing.models import EditConflict
from routing.notify import bind_redis
from routing.problems import ConfigurationInvalid
from routing.publishing import PublishRefused

SUBCOMMANDS = (
    serving,
    documents,
    importing,
    history,
    schedules,
    explain,
    breaker,
    target,
    drain,
    cache,
    canary,
    limited,
    requests,
    replay,
    logonly,
    sockets,
    events,
    bus,
    quota,
    discovery,
    consumer,
    apikey,
    user,
    keys,
    slo,
    audit,
)
INTERRUPTED = 130
_REFUSALS = (CommandRefused, PublishRefused, EditConflict, StoreUnavailable)


class Command(BaseCommand):
    """Runs and administers the gateway."""

    help = "Runs and administers the gateway."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        # Of the command `torana`, which says these subcommands without the word.
        parser.prog = parser.prog.replace("torana gateway", "torana")
        subparsers = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", required=True)
        for module in SUBCOMMANDS:
            module.add(subparsers)

    def handle(self, *_args: Any, **options: Any) -> None:
        code = self._run(argparse.Namespace(**options))
        if code:
            sys.exit(code)

    def _run(self, options: argparse.Namespace) -> int:
        console = Console(self.stdout, self.stderr)  # type: ignore[arg-type]
        bind_redis(_redis_url())
        try:
            with clear_errors(), coming_from(lambda: _origin(options)):
                code: int = options.run(options, console)
            self.stdout.flush()
            return code
        except ConfigurationInvalid as error:
            console.problems(error.problems)
        except _REFUSALS as error:
            console.warn(str(error))
        except (DatabaseError, InterfaceError) as error:
            console.warn(f"the database refused: {' '.join(str(error).split())}")
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:
            # The reader has gone; Python would complain once more when it flushes at exit.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED


def _origin(options: argparse.Namespace) -> Origin:
    """Who runs the command, and on which machine."""
    actor = author(argparse.Namespace(as_user=getattr(options, "as_user", None)))
    return Origin("cli", socket.gethostname()[:60], actor.name, actor.user_id)


def _redis_url() -> str | None:
    """Where running workers listen for announcements, if anywhere; nothing is started for it."""
    redis = settings.CONFIG.redis
    if redis.mode == "server":
        return str(redis.url)
    if redis.mode == "embedded":
        with suppress(OSError):
            path = socket_path(settings.CONFIG.var_dir)
            return f"unix://{path}" if path.exists() else None
    return None
