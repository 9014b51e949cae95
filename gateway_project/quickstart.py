"""D: A first start without questions: tables, an example, one admin account, and its services beside the gateway.

Every step looks first and does nothing when there is nothing to do, so that a second start is a plain start.
"""

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping
from time import monotonic, sleep
from typing import Final

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from gateway_project.config import BASE_DIR
from gateway_project.embedded import die_with_parent
from gateway_project.examples import Example
from gateway_project.server.ports import keep_port
from routing.document.yaml import parse_text
from routing.drafts import Actor
from routing.models import Revision, Route, Service
from routing.publishing import apply_document, under_review

ADMIN_NAME: Final = "admin"
_POLL_S: Final = 0.02


def migrate() -> None:
    """Bring the tables up to date; a database that is up to date is only looked at."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def create_admin() -> str | None:
    """Make the first admin account; its password if it was made now, None if there was one."""
    users = get_user_model()._default_manager
    if users.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    users.create_superuser(ADMIN_NAME, "", password)
    return password


def load(example: Example) -> None:
    """Publish it if nobody has configured or published anything yet; under review nothing goes live by itself."""
    if under_review() or Revision.objects.exists() or Service.objects.exists() or Route.objects.exists():
        return
    document = parse_text(example.document.read_text(encoding="utf-8"))
    message = f"{example.name.capitalize()} configuration"
    apply_document(document, actor=Actor("quickstart"), message=message, source="quickstart")


def serves(example: Example) -> bool:
    """Are services of it still configured? Then they are wanted beside the gateway."""
    return Service.objects.filter(name__in=example.services).exists()


def addresses_of(example: Example, environ: Mapping[str, str]) -> dict[str, str]:
    """Where each upstream is to listen, by variable: its usual port, or a free one.

    A variable that is set already is somebody's own upstream and is left alone.
    """
    found: dict[str, str] = {}
    for upstream in example.upstreams:
        if upstream.variable not in environ:
            found[upstream.variable] = f"http://127.0.0.1:{keep_port(upstream.port)}"
    return found


def start_upstreams(
    example: Example, addresses: Mapping[str, str], *, gateway: str
) -> list[subprocess.Popen[bytes]]:
    """Start the example's services as processes of their own, which know the gateway; the caller ends them."""
    environ = {**os.environ, "GATEWAY_JWKS": f"{gateway}/.well-known/jwks.json"}
    started = []
    for upstream in example.upstreams:
        if upstream.variable in addresses:
            port = addresses[upstream.variable].rpartition(":")[2]
            # Ctrl-C is for the gateway, which lets requests finish and then stops them.
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, *upstream.command, "--port", port],
                cwd=BASE_DIR,
                env=environ,
                process_group=0,
                preexec_fn=die_with_parent(),
            )
            started.append(process)
    return started


def await_upstreams(addresses: Mapping[str, str], *, within_s: float = 10.0) -> None:
    """Return when every upstream accepts connections; one that never does is left to answer 502."""
    deadline_s = monotonic() + within_s
    for address in addresses.values():
        port = int(address.rpartition(":")[2])
        while monotonic() < deadline_s:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
                break
            except OSError:
                sleep(_POLL_S)


def stop_upstreams(processes: list[subprocess.Popen[bytes]]) -> None:
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


def banner(base_url: str, *, password: str | None, example: Example | None) -> str:
    """What a new user reads first."""
    lines = ["", f"  Torana is at {base_url}", f"  Admin         {base_url}/admin/"]
    if password is not None:
        lines += [f"                {account(password)}"]
    if example is not None:
        lines += ["", "  Try:", *(f"    {line}" for line in example.lines_at(base_url))]
    return "\n".join([*lines, "", "  Ctrl-C stops it.", ""])
