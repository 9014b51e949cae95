"""D: A first start without questions: tables, an example, one admin account, and its services beside the gateway.

Every step looks first and does nothing when there is nothing to do, so that a second start is a plain start.
"""

import http.client
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Collection, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from gateway_project import examplekeys, freshtables
from gateway_project.config import BASE_DIR
from gateway_project.embedded import die_with_parent
from gateway_project.examplekeys import Credentials
from gateway_project.examples import Example
from gateway_project.hashing import lightly
from gateway_project.server.forks import Forked
from gateway_project.standby import Standby
from gateway_project.systemfile import AccountEntry, with_credentials
from routing.document.yaml import parse_text
from routing.drafts import Actor
from routing.models import Revision, Route, Service
from routing.publishing import apply_document, under_review

ADMIN_NAME: Final = "admin"
_POLL_S: Final = 0.02

Process = subprocess.Popen[bytes] | Forked


@dataclass(frozen=True, slots=True)
class Program:
    """A service to start: arguments of Python, and what it has in its environment beyond this process's."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def migrate() -> None:
    """Bring the tables up to date; a database that is up to date is only looked at."""
    executor = MigrationExecutor(connection)
    is_behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if is_behind and not freshtables.create(connection, executor):
        call_command("migrate", interactive=False, verbosity=0)


def create_admin() -> str | None:
    """Make the first admin account; its password if it was made now, None if there was one."""
    users = get_user_model()._default_manager
    if users.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    users.create(username=ADMIN_NAME, password=lightly(password), is_staff=True, is_superuser=True)
    return password


def load(example: Example) -> bool:
    """Publish it if nobody has configured or published anything yet; under review nothing goes live by itself.

    Whether it was published now.
    """
    if under_review() or Revision.objects.exists() or Service.objects.exists() or Route.objects.exists():
        return False
    document = parse_text(example.document.read_text(encoding="utf-8"))
    message = f"{example.name.capitalize()} configuration"
    apply_document(document, actor=Actor("quickstart"), message=message, source="quickstart")
    return True


def credentials_of(example: Example, var_dir: Path, *, is_new: bool) -> Credentials:
    """Those of the example's accounts and consumers, which are made with a new configuration."""
    if not (example.accounts or example.consumers):
        return Credentials()
    if not is_new:
        return examplekeys.kept(var_dir)
    with transaction.atomic():
        made = examplekeys.make(example.accounts, example.consumers)
    examplekeys.keep(var_dir, made)
    return made


def serves(example: Example) -> bool:
    """Are services of it still configured? Then they are wanted beside the gateway."""
    return Service.objects.filter(name__in=example.services).exists()


def programs(
    example: Example,
    addresses: Mapping[str, str],
    credentials: Credentials,
    *,
    gateway: str,
    listening: bool,
) -> dict[str, Program]:
    """Those of the example's services that listen, or the others, by name; without those that are somebody's own.

    Each is told where the gateway is; the other services are in the environment that all have.
    """
    shared = {"GATEWAY_URL": gateway, "GATEWAY_JWKS": f"{gateway}/.well-known/jwks.json"}
    found = {}
    for upstream in example.upstreams:
        if bool(upstream.variable) is not listening:
            continue
        if upstream.variable and upstream.variable not in addresses:
            continue
        port = addresses[upstream.variable].rpartition(":")[2] if upstream.variable else ""
        own = {
            name: with_credentials(value, credentials.passwords, credentials.keys)
            for name, value in upstream.environment.items()
        }
        command = (*upstream.command, *(("--port", port) if port else ()))
        found[upstream.name] = Program(command, {**shared, **own})
    return found


def start_upstreams(
    wanted: Mapping[str, Program], waiting: MutableMapping[str, Standby] | None = None
) -> dict[str, Process]:
    """Start them as processes, by name; the caller ends them. One for which a process is `waiting` becomes that."""
    waiting = {} if waiting is None else waiting
    started: dict[str, Process] = {}
    for name, program in wanted.items():
        environ = {**os.environ, **program.environment}
        if name in waiting:
            started[name] = waiting.pop(name).become(name, program.command, environ)
            continue
        # Ctrl-C is for the gateway, which lets requests finish and then stops them.
        started[name] = subprocess.Popen(  # noqa: S603
            [sys.executable, *program.command],
            cwd=BASE_DIR,
            env=environ,
            process_group=0,
            preexec_fn=die_with_parent(),
        )
    return started


def await_upstreams(
    example: Example,
    addresses: Mapping[str, str],
    processes: Mapping[str, Process],
    *,
    within_s: float = 10.0,
) -> None:
    """Return when every upstream is ready; one that never is, or has ended, is left to answer 502."""
    deadline_s = monotonic() + within_s
    for upstream in example.upstreams:
        if upstream.variable not in addresses or upstream.name not in processes:
            continue
        while not _is_ready(addresses[upstream.variable], upstream.ready) and monotonic() < deadline_s:
            if processes[upstream.name].poll() is not None:
                break
            sleep(_POLL_S)


def _is_ready(address: str, path: str) -> bool:
    port = int(address.rpartition(":")[2])
    if not path:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return True
        return False
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stop_upstreams(processes: Collection[Process]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def account(password: str) -> str:
    """The admin account that was made, for its owner to note down."""
    return f"name {ADMIN_NAME}, password {password}   (shown this once)"


def _standing(entry: AccountEntry) -> str:
    """What an account may do here, in words."""
    return ", ".join([*entry.roles, *(["staff"] if entry.staff else [])]) or "no role"


def banner(
    base_url: str, *, password: str | None, example: Example | None, credentials: Credentials | None = None
) -> str:
    """What a new user reads first."""
    known = credentials or Credentials()
    lines = ["", f"  Torana is at {base_url}", f"  Admin         {base_url}/admin/"]
    if password is not None:
        lines += [f"                {account(password)}"]
    if password is not None and example is None and under_review():
        lines += [
            "",
            "  No example was loaded: under PUBLISH=review nothing goes live that nobody has approved.",
        ]
    if example is not None:
        lines += [
            f"  {entry.name:<13} password {known.passwords[entry.name]}   ({_standing(entry)})"
            for entry in example.accounts
            if entry.name in known.passwords
        ]
        tried = (with_credentials(line, known.passwords, known.keys) for line in example.lines_at(base_url))
        lines += ["", "  Try:", *(f"    {line}" for line in tried)]
    return "\n".join([*lines, "", "  Ctrl-C stops it.", ""])
