"""P: DATABASE_URL and REDIS_URL as values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from gateway_project.variables import Secret, split_url, url_of
from resilience.stores.address import address_of

POSTGRES_SCHEMES = ("postgres", "postgresql", "ecto")
# Connection parameters of libpq that make sense in a URL (PostgreSQL documentation, section 34.1.2).
POSTGRES_OPTIONS = frozenset(
    {
        "application_name",
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "options",
        "passfile",
        "require_auth",
        "sslcert",
        "sslcertmode",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslpassword",
        "sslrootcert",
        "target_session_attrs",
        "tcp_user_timeout",
    }
)
REDIS_NUMBERS = frozenset(
    {"db", "health_check_interval", "max_connections", "socket_connect_timeout", "socket_timeout", "timeout"}
)
SQLITE_BUSY_TIMEOUT_S = 10
POSTGRES_CONNECT_TIMEOUT_S = "5"
BAD_DATABASE_URL = "want postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:///FILE"


@dataclass(frozen=True, slots=True)
class Database:
    """Where rows live. `name` is a file for sqlite; an empty `host` means PostgreSQL's default socket."""

    engine: Literal["sqlite", "postgresql"]
    name: str
    host: str = ""
    port: int = 5432
    user: str = ""
    password: Secret = Secret("")
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redis:
    """Where shared state lives: servers of the operator's, an embedded one, or only in this process."""

    mode: Literal["server", "embedded", "process"]
    url: Secret = Secret("")


def database_at(value: str) -> Database:
    """Parse DATABASE_URL; a relative SQLite file is one of the working directory."""
    parts = split_url(value)
    if parts.scheme == "sqlite":
        return _sqlite(parts.netloc, unquote(parts.path))
    if parts.scheme not in POSTGRES_SCHEMES:
        raise ValueError(BAD_DATABASE_URL)
    options = _options(parts.query, ecto=parts.scheme == "ecto")
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise ValueError(f"the URL does not name one database; {BAD_DATABASE_URL}")
    # The host is cut out by hand: urlsplit lowers its case, and a percent-encoded socket folder has one.
    authority = parts.netloc.rpartition("@")[2]
    host = parts.hostname or "" if not authority.startswith("%") else unquote(authority.partition(":")[0])
    return Database(
        engine="postgresql",
        name=name,
        host=options.pop("host", host),
        port=parts.port or 5432,
        user=unquote(parts.username or ""),
        password=Secret(unquote(parts.password or "")),
        options=options,
    )


def _sqlite(netloc: str, path: str) -> Database:
    file = path.removeprefix("/")
    if netloc or not file or file == ":memory:":
        raise ValueError("want sqlite:///FILE, or sqlite:////FILE for an absolute path; it must be a file")
    return Database(engine="sqlite", name=str(Path(file)))


def _options(query: str, *, ecto: bool) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if ecto and options.get("ssl") in ("true", "false"):
        options["sslmode"] = "require" if options.pop("ssl") == "true" else "disable"
    if unknown := sorted(options.keys() - POSTGRES_OPTIONS - {"host"}):
        raise ValueError(
            f"unknown option {unknown[0]!r} in the URL; known are {', '.join(sorted(POSTGRES_OPTIONS))}"
        )
    return options


def redis_at(value: str) -> Redis:
    """Parse REDIS_URL: one server, a Cluster, or what Sentinel names; `none` keeps the state in the process."""
    if value.lower() == "none":
        return Redis("process")
    if any(character.isspace() for character in value):
        raise ValueError("the URL holds white space")
    address = address_of(value)
    for name, number in parse_qsl(value.partition("?")[2]):
        if name in REDIS_NUMBERS and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", number):
            raise ValueError(f"the URL's option {name} is not a number")
    if address.kind == "single":
        return Redis("server", url_of("redis", "rediss", "unix")(address.url))
    return Redis("server", Secret(value))


def redis_server(host: str, port: int) -> Redis:
    """REDIS_HOST and REDIS_PORT, the older pair of variables."""
    literal = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return Redis("server", url_of("redis")(f"redis://{literal}:{port}/0"))


def django_database(database: Database, *, test_suffix: str) -> dict[str, Any]:
    """The entry of Django's DATABASES. `test_suffix` keeps test runs that share a server apart."""
    if database.engine == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": database.name,
            "OPTIONS": {
                # A deferred transaction that reads, then writes, fails at once instead of waiting.
                "transaction_mode": "IMMEDIATE",
                "timeout": SQLITE_BUSY_TIMEOUT_S,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
            },
            "TEST": {"NAME": f"{database.name}.test-{test_suffix}"},
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database.name,
        "HOST": database.host,
        "PORT": database.port,
        "USER": database.user,
        "PASSWORD": database.password,
        "OPTIONS": {"connect_timeout": POSTGRES_CONNECT_TIMEOUT_S, **database.options},
        "TEST": {"NAME": f"test_{database.name}_{test_suffix}"},
    }
