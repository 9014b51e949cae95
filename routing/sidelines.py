"""D: A database connection for background threads: bounded waits, and a way to break a hanging one."""

import contextlib
import copy
import os
import socket
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

CONNECT_TIMEOUT_S: Final = 2
STATEMENT_TIMEOUT_S: Final = 3
SQLITE_BUSY_S: Final = 0.1
_POSTGRES: Final = {
    "connect_timeout": str(CONNECT_TIMEOUT_S),
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "5000",
}


def make_sideline(
    name: str, *, statement_timeout_s: float = STATEMENT_TIMEOUT_S, lock_timeout_s: float = 0.0
) -> BaseDatabaseWrapper:
    """A connection to the configuration's database, opened when it is first used. One thread at a time may use it.

    PostgreSQL shows the name as that of an application. Whoever waits longer than `lock_timeout_s` for a lock fails; 0:
    only a statement as a whole is limited.
    """
    settings = copy.deepcopy(connections[DEFAULT_DB_ALIAS].settings_dict)
    options: dict[str, Any] = settings["OPTIONS"]
    if connections[DEFAULT_DB_ALIAS].vendor == "postgresql":
        options |= {**_POSTGRES, "application_name": f"torana {name}"}
        timeout = f"-c statement_timeout={statement_timeout_s * 1000:.0f} -c lock_timeout={lock_timeout_s * 1000:.0f}"
        options["options"] = f"{options.get('options', '')} {timeout}".strip()
    else:
        # Reports give up at once rather than hold up the poll behind a long write.
        options["timeout"] = SQLITE_BUSY_S
        # A file that was moved away is to be missed, not replaced by an empty one.
        settings["NAME"] = f"file:{quote(str(settings['NAME']))}?mode=rw"
    settings["CONN_MAX_AGE"] = None
    wrapper: BaseDatabaseWrapper = load_backend(settings["ENGINE"]).DatabaseWrapper(
        settings, DEFAULT_DB_ALIAS
    )
    wrapper.inc_thread_sharing()
    return wrapper


def file_identity(wrapper: BaseDatabaseWrapper) -> tuple[int, int] | None:
    """Which file now has the name of a sideline's SQLite database; None on PostgreSQL, or if there is none."""
    if wrapper.vendor != "sqlite":
        return None
    name = unquote(str(wrapper.settings_dict["NAME"]).removeprefix("file:").rpartition("?")[0])
    try:
        status = Path(name).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def break_off(wrapper: BaseDatabaseWrapper) -> None:
    """Makes a query that hangs on a silent server fail now, in the thread that waits for it."""
    with contextlib.suppress(Exception):
        descriptor = os.dup(wrapper.connection.fileno())
        with socket.socket(fileno=descriptor) as duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)


def close(wrapper: BaseDatabaseWrapper) -> None:
    """Closes whatever state the connection is in; the next query opens another."""
    with contextlib.suppress(Exception):
        wrapper.close()
    wrapper.connection = None
    wrapper.closed_in_transaction = False
    wrapper.in_atomic_block = False
    wrapper.needs_rollback = False
    wrapper.savepoint_ids = []
