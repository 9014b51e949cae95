"""The environment as one object."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.sealing import new_material
from gateway_project.config import BASE_DIR, ConfigError, GatewayConfig, load_config, table
from gateway_project.connections import Database, Redis

STRONG = "k3Jx-9vQ2_pLw8ZrT5nYb7Hd"


def load(tmp_path: Path, **environ: str) -> GatewayConfig:
    return load_config({"VAR_DIR": str(tmp_path / "var"), **environ})


def problems(tmp_path: Path, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, **environ)
    return raised.value.problems


def test_empty_environment_is_enough_for_development(tmp_path: Path) -> None:
    """Without any variable the gateway runs on loopback, with everything it needs under VAR_DIR."""
    config = load(tmp_path)

    assert config.environment == "development"
    assert (config.gateway_host, config.gateway_port, config.api_prefix) == ("127.0.0.1", 8000, "/api/v1")
    assert config.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert config.database == Database("sqlite", str(tmp_path / "var" / "torana.sqlite3"))
    assert config.redis == Redis("embedded")
    assert (config.publish, config.discovery_approval, config.enforce_https) == ("auto", "auto", "off")
    assert (config.service_timeout_s, config.load_balancing_strategy) == (30.0, "round_robin")
    assert (config.trusted_proxies, config.cors_allowed_origins, config.service_urls) == ((), (), {})
    assert config.rate_limit_default is None
    assert not config.debug
    assert not config.is_deployed


def test_default_var_dir_lies_beside_the_code() -> None:
    """The database found does not depend on the folder a command is run from."""
    assert load_config({"SECRET_KEY": STRONG}).var_dir == BASE_DIR / "var"


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("API_HOST", "0.0.0.0", "gateway_host", "0.0.0.0"),
        ("API_PORT", "9000", "gateway_port", 9000),
        ("API_V1_PREFIX", "/v1", "api_prefix", "/v1"),
        ("SECRET_KEY_BASE", STRONG, "secret_key", STRONG),
        ("JWT_SECRET_KEY", STRONG, "jwt_secret", STRONG),
        ("REDIS_HOST", "cache", "redis", Redis("server", "redis://cache:6379/0")),  # type: ignore[arg-type]
        ("REDIS_URL", "none", "redis", Redis("process")),
        ("SERVICE_TIMEOUT", "1500ms", "service_timeout_s", 1.5),
        ("ALLOWED_HOSTS", '["a.example", "b.example"]', "allowed_hosts", ("a.example", "b.example")),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("GATEWAY_PORT", "", "gateway_port", 8000),
    ],
)
def test_variable_is_read(tmp_path: Path, name: str, text: str, field: str, value: object) -> None:
    """Second names, spellings and empty values are understood."""
    assert getattr(load(tmp_path, **{name: text}), field) == value


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    """One start shows all that is wrong, each by the name that was used."""
    found = problems(
        tmp_path,
        ENVIRONMENT="prod",
        API_PORT="eighty",
        DATABASE_URL="mysql://h/d",
        ORDERS_SERVICE_URL="orders:80",
        AZURE_TENANT_ID="t",
        RATE_LIMIT_REQUESTS="5",
        RATE_LIMIT_WINDOW_SECONDS="soon",
    )

    assert [problem.partition(":")[0] for problem in found] == [
        "ENVIRONMENT",
        "API_PORT",
        "DATABASE_URL",
        "RATE_LIMIT_WINDOW_SECONDS",
        "ORDERS_SERVICE_URL",
        "AZURE_CLIENT_ID",
    ]


def test_error_is_readable_as_text(tmp_path: Path) -> None:
    """Each problem has a line of its own."""
    with pytest.raises(ConfigError, match=r"(?m)^  DEBUG: 'x' is neither true nor false$"):
        load(tmp_path, DEBUG="x")


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, ["SECRET_KEY"]),
        ({"SECRET_KEY": "your_secret_key_here"}, ["SECRET_KEY"]),
        ({"SECRET_KEY_BASE": "changeme-changeme-changeme"}, ["SECRET_KEY"]),
        ({"SECRET_KEY": "short"}, ["SECRET_KEY"]),
        ({"SECRET_KEY": STRONG, "JWT_SECRET": "your-jwt-secret"}, ["JWT_SECRET"]),
        ({"SECRET_KEY": STRONG, "DEBUG": "true"}, ["DEBUG"]),
        ({"SECRET_KEY": STRONG, "ALLOWED_HOSTS": "a.example,*"}, ["ALLOWED_HOSTS"]),
        ({"DEBUG": "1", "ALLOWED_HOSTS": "*"}, ["SECRET_KEY", "DEBUG", "ALLOWED_HOSTS"]),
    ],
)
def test_production_refuses_what_is_unsafe(
    tmp_path: Path, environ: Mapping[str, str], names: list[str]
) -> None:
    """The refusal names each unsafe variable, and no secret is made up."""
    found = problems(tmp_path, ENVIRONMENT="production", **environ)

    assert [problem.partition(":")[0] for problem in found] == names
    assert not (tmp_path / "var").exists()


def test_the_same_is_allowed_elsewhere(tmp_path: Path) -> None:
    """Development may be careless."""
    config = load(tmp_path, SECRET_KEY="changeme", DEBUG="true", ALLOWED_HOSTS="*")

    assert (config.secret_key, config.debug, config.allowed_hosts) == ("changeme", True, ("*",))


def test_production_has_stricter_defaults(tmp_path: Path) -> None:
    """HTTPS is asked for, and targets that register themselves wait for approval."""
    config = load(tmp_path, ENVIRONMENT="production", SECRET_KEY=STRONG)

    assert (config.enforce_https, config.discovery_approval, config.is_deployed) == (
        "redirect",
        "manual",
        True,
    )


def test_generated_secret_is_kept(tmp_path: Path) -> None:
    """Two starts with one VAR_DIR share the secret; the signing key is derived and not the secret itself."""
    first, second = load(tmp_path), load(tmp_path)

    assert first.secret_key == second.secret_key
    assert first.jwt_secret == second.jwt_secret != first.secret_key
    assert not first.jwt_secret_given
    assert load(tmp_path / "other").secret_key != first.secret_key


def test_jwt_secret_stands_for_the_secret_key(tmp_path: Path) -> None:
    """With only JWT_SECRET, in production too, nothing is generated and the two still differ."""
    config = load(tmp_path, ENVIRONMENT="production", JWT_SECRET=STRONG)

    assert config.jwt_secret == STRONG
    assert config.jwt_secret_given
    assert config.secret_key not in ("", STRONG)
    assert config.secret_key == load(tmp_path, JWT_SECRET=STRONG).secret_key
    assert not list((tmp_path / "var").iterdir())


@pytest.mark.parametrize(
    ("algorithm", "key"), [("RS256", "plain"), ("RS256", "ES256"), ("HS256", "ES256"), ("ES384", "ES256")]
)
def test_jwt_secret_must_fit_its_algorithm(tmp_path: Path, algorithm: str, key: str) -> None:
    """At the start, not at the first token; the key is not quoted."""
    text = STRONG if key == "plain" else new_material(key).decode()
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, JWT_ALGORITHM=algorithm, JWT_SECRET=text)

    assert [problem.partition(":")[0] for problem in refused.value.problems] == ["JWT_SECRET"]
    assert text[40:80] not in str(refused.value) or not text[40:80]


def test_jwt_secret_may_be_a_private_key(tmp_path: Path) -> None:
    """In PEM; line ends may be written as two characters."""
    pem = new_material("ES256").decode()

    assert load(tmp_path, JWT_ALGORITHM="ES256", JWT_SECRET=pem).jwt_secret_given
    assert load(tmp_path, JWT_ALGORITHM="ES256", JWT_SECRET=pem.replace("\n", "\\n")).jwt_secret_given


def test_unusable_var_dir_is_a_problem_like_others(tmp_path: Path) -> None:
    """A file where the folder should be is reported by the variable's name."""
    (tmp_path / "var").write_text("")

    assert problems(tmp_path)[0].startswith("VAR_DIR: ")


def test_burst_is_twice_the_rate(tmp_path: Path) -> None:
    """RATE_LIMIT_BURST has a default once there is a rate, and makes no sense without one."""
    assert load(tmp_path, RATE_LIMIT_PER_SECOND="7").rate_limit_burst == 14
    assert load(tmp_path, RATE_LIMIT_PER_SECOND="7", RATE_LIMIT_BURST="8").rate_limit_burst == 8
    assert problems(tmp_path, RATE_LIMIT_BURST="8")[0].startswith("RATE_LIMIT_PER_SECOND: is wanted")


def test_service_urls_are_collected(tmp_path: Path) -> None:
    """Overrides keep the variable's name; commas separate targets."""
    config = load(tmp_path, CODE_GENERATOR_SERVICE_URL="http://a:1, https://b", _SERVICE_URL="x")

    assert config.service_urls == {"CODE_GENERATOR_SERVICE_URL": ("http://a:1", "https://b")}


def test_configuration_does_not_show_its_secrets(tmp_path: Path) -> None:
    """The object can be printed."""
    shown = repr(
        load(
            tmp_path,
            SECRET_KEY="hunter2",
            JWT_SECRET="hunter2",
            METRICS_TOKEN="hunter2",
            DATABASE_URL="postgres://u:hunter2@h/d",
            REDIS_URL="redis://:hunter2@h",
            MESSAGE_HUB_URL="amqp://u:hunter2@h",
            ORDERS_SERVICE_URL="http://u:hunter2@h",
        )
    )

    assert "hunter2" not in shown


@given(st.dictionaries(st.sampled_from(sorted(n for row in table().values() for n in row.names)), st.text()))
def test_any_environment_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]
) -> None:
    """Whatever the variables hold, there is a configuration or a list of problems that name variables."""
    environ = {**environ, "VAR_DIR": str(tmp_path_factory.getbasetemp() / "any"), "SECRET_KEY": STRONG}
    found: tuple[str, ...] = ()
    try:
        load_config(environ)
    except ConfigError as error:
        found = error.problems

    assert all(re.match(r"[A-Z0-9_]+: .", problem) for problem in found)


def documented() -> dict[str, str]:
    """Variables of .env.example with the defaults that stand there."""
    text = (BASE_DIR / ".env.example").read_text()
    return dict(re.findall(r"^# ([A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_example_file_lists_every_variable_with_its_default() -> None:
    """.env.example and the table say the same."""
    expected = {row.names[0]: row.default for row in table().values()}

    assert documented() == {**expected, "CONTEXT_SERVICE_URL": "http://127.0.0.1:8001"}


def test_example_file_mentions_second_names_and_comments_each_block() -> None:
    """Whoever knows a variable by its other name finds it, and no block of variables is without a word."""
    text = (BASE_DIR / ".env.example").read_text()
    blocks = [block for block in text.split("\n\n") if "=" in block and not block.startswith("# ---")]

    assert all(name in text for row in table().values() for name in row.names)
    assert [block for block in blocks if re.match(r"# [A-Z_]+=", block)] == []


def test_example_file_is_accepted_as_it_stands(tmp_path: Path) -> None:
    """Uncommented and with its values, the file is a valid environment."""
    config = load_config({**documented(), "VAR_DIR": str(tmp_path / "var")})

    assert config.service_urls == {"CONTEXT_SERVICE_URL": ("http://127.0.0.1:8001",)}
