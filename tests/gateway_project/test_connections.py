"""DATABASE_URL and REDIS_URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_project.connections import Database, Redis, database_at, django_database, redis_at, redis_server
from gateway_project.variables import Secret


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "ecto"])
def test_postgres_url_is_taken_apart(scheme: str) -> None:
    """Every part is percent-decoded; libpq's options are kept."""
    parsed = database_at(
        f"{scheme}://us%40er:p%2Fss%3A@db.example.com:6432/my%20db?sslmode=verify-full&sslrootcert=%2Fca"
    )

    assert parsed == Database(
        engine="postgresql",
        name="my db",
        host="db.example.com",
        port=6432,
        user="us@er",
        password="p/ss:",  # type: ignore[arg-type] - compares as text
        options={"sslmode": "verify-full", "sslrootcert": "/ca"},
    )


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgres:///db", ""),
        ("postgres://[::1]/db", "::1"),
        ("postgres://u@%2FVar%2Frun/db", "/Var/run"),
        ("postgres:///db?host=/var/run/postgresql", "/var/run/postgresql"),
    ],
)
def test_postgres_host_may_be_a_socket_folder(url: str, host: str) -> None:
    """A socket's folder is given percent-encoded, or as the option `host`, or by default."""
    assert database_at(url).host == host
    assert database_at(url).port == 5432


def test_ecto_ssl_becomes_sslmode() -> None:
    """Ecto's `ssl` flag means what libpq calls require and disable."""
    assert database_at("ecto://h/d?ssl=true").options == {"sslmode": "require"}
    assert database_at("ecto://h/d?ssl=false").options == {"sslmode": "disable"}


@pytest.mark.parametrize(
    ("url", "file"),
    [("sqlite:///a.db", "a.db"), ("sqlite:////srv/a.db", "/srv/a.db"), ("sqlite:///a%20b.db", "a b.db")],
)
def test_sqlite_url_names_a_file(url: str, file: str) -> None:
    """Three slashes make a relative path, four an absolute one."""
    assert database_at(url) == Database("sqlite", file)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://u:hunter2@h/d", "want postgres"),
        ("nonsense", "want postgres"),
        ("postgres://u:hunter2@h", "does not name one database"),
        ("postgres://u:hunter2@h/a/b", "does not name one database"),
        ("postgres://u:hunter2@h:99999/d", "malformed"),
        ("postgres://u:hunter2@h/d?sslmod=require", "unknown option 'sslmod'"),
        ("sqlite://a.db", "sqlite:///FILE"),
        ("sqlite://", "sqlite:///FILE"),
        ("sqlite:///:memory:", "must be a file"),
    ],
)
def test_unusable_database_url_is_refused(url: str, message: str) -> None:
    """The refusal says what is wanted, and never shows the password."""
    with pytest.raises(ValueError, match=message) as refused:
        database_at(url)

    assert "hunter2" not in str(refused.value)


@given(st.text(), st.text(min_size=1))
def test_user_and_password_survive_percent_encoding(user: str, password: str) -> None:
    """Any text can be a user or a password once it is encoded."""
    from urllib.parse import quote

    encoded = [quote(part.encode("utf-8", "replace"), safe="") for part in (user, password)]
    parsed = database_at(f"postgres://{encoded[0]}:{encoded[1]}@h/d")

    assert [parsed.user, parsed.password] == [
        part.encode("utf-8", "replace").decode() for part in (user, password)
    ]


def test_redis_is_a_server_or_the_process() -> None:
    """`none` keeps the state in the process; a URL names a server."""
    assert redis_at("None") == Redis("process")
    assert redis_at("rediss://:p@h:6380/1").mode == "server"
    assert redis_at("redis://h?cluster=false&socket_timeout=2").url == "redis://h?socket_timeout=2"
    assert redis_server("h", 6380).url == "redis://h:6380/0"
    assert redis_server("::1", 6379).url == "redis://[::1]:6379/0"


@pytest.mark.parametrize(
    "value",
    [
        "redis+sentinel://:p@a:26379,b/main/0?sentinel_password=q",
        "rediss+cluster://u:p@a:1,b:2",
        "redis://a,b/0?cluster=true",
    ],
)
def test_redis_may_be_several_servers(value: str) -> None:
    """The URL goes on as it is, to those who read it again."""
    assert redis_at(value) == Redis("server", Secret(value))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("localhost:6379", "redis\\+sentinel"),
        ("http://h", "want redis"),
        ("redis://", "no host"),
        ("redis://h:x", "malformed"),
        ("redis+sentinel://h:26379", "service"),
        ("redis+cluster://h/1", "Cluster has only 0"),
        ("redis+cluster://:hunter2@h,", "HOST:PORT"),
        ("redis://h 1", "white space"),
        ("redis+sentinel://:hunter2@h/main?socket_timeout=hunter2", "socket_timeout"),
        ("redis://:hunter2@h?socket_timeout=hunter2", "socket_timeout"),
    ],
)
def test_unusable_redis_url_is_refused(value: str, why: str) -> None:
    """A bare host, foreign schemes, and what is missing or odd, with the reason; no password is shown."""
    with pytest.raises(ValueError, match=why) as refused:
        redis_at(value)
    assert "hunter2" not in str(refused.value)


def test_values_do_not_show_passwords() -> None:
    """Logs may print the values."""
    shown = repr([database_at("postgres://u:hunter2@h/d"), redis_at("redis://:hunter2@h")])

    assert "hunter2" not in shown


def test_django_takes_the_write_lock_first_on_sqlite() -> None:
    """SQLite transactions begin IMMEDIATE, wait for each other, and write ahead."""
    options = django_database(Database("sqlite", "/f"), test_suffix="7")["OPTIONS"]

    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] >= 5
    assert "journal_mode=WAL" in options["init_command"]


def test_django_gets_every_part_of_a_postgres_url() -> None:
    """The options reach libpq; runs that share a server get test databases of their own."""
    entry = django_database(database_at("postgres://u:p@h:1/d?connect_timeout=9"), test_suffix="7")

    assert [entry[key] for key in ("NAME", "HOST", "PORT", "USER", "PASSWORD")] == ["d", "h", 1, "u", "p"]
    assert entry["OPTIONS"] == {"connect_timeout": "9"}
    assert entry["TEST"] == {"NAME": "test_d_7"}
