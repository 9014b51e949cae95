"""I: The environment as one frozen object; every problem of it is reported at once.

`GatewayConfig` is the table of variables: each row names them, parses them and gives the default. It does
I/O for one thing only, a secret that is kept in VAR_DIR when none is given.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from authproxy.keyring import KeyRing
from authproxy.signatures import UnusableKey
from gateway_project import secretfile
from gateway_project.connections import Database, Redis, database_at, redis_at, redis_server
from gateway_project.mailserver import SCHEMES
from gateway_project.variables import (
    Network,
    Secret,
    Variable,
    allowed_host,
    azure_tenant,
    boolean,
    duration_s,
    host,
    integer,
    items,
    label,
    network,
    one_of,
    origin,
    pairs,
    path_prefix,
    secret,
    share,
    text,
    url_of,
    variable,
)
from realtime.bus.opening import missing_library

PACKAGE_DIR = Path(__file__).resolve().parent
IS_INSTALLED = not (PACKAGE_DIR.parent / "manage.py").is_file()
# Where `examples/` lies and, in an image, `static/`: the source tree, or what the wheel has of it.
BASE_DIR = PACKAGE_DIR / "share" if IS_INSTALLED else PACKAGE_DIR.parent
# How Django's commands are called here.
MANAGE = "torana manage" if IS_INSTALLED else "python manage.py"
# An installed package writes nothing beside its code.
DEFAULT_VAR_DIR = Path("var") if IS_INSTALLED else BASE_DIR / "var"
SERVICE_URL_SUFFIX = "_SERVICE_URL"
SHORTEST_SECRET = 16
PLACEHOLDER_PREFIXES = (
    "your",
    "change",
    "replace",
    "django-insecure",
    "secret",
    "default",
    "example",
    "insert",
)
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
STRATEGIES = ("round_robin", "weighted_round_robin", "least_connections", "random", "consistent_hash")
SAMPLERS = tuple(
    parent + root for parent in ("", "parentbased_") for root in ("always_on", "always_off", "traceidratio")
)
JWT_ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")
SECRET_NAMES = tuple(
    "token access_token refresh_token id_token api_key apikey key password secret code sig signature".split()  # noqa: SIM905
)
LOOPBACK_HOSTS = "localhost,127.0.0.1,[::1]"

target_urls = items(url_of("http", "https", "unix"))


class ConfigError(Exception):
    """The environment cannot be used; each of `problems` begins with a variable's name."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(
            "The environment cannot be used:\n" + "\n".join(f"  {problem}" for problem in problems)
        )
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """What the environment says. Defaults are texts, parsed like given ones."""

    environment: Literal["development", "testing", "staging", "production"] = variable(
        one_of("development", "testing", "staging", "production"), "ENVIRONMENT", default="development"
    )
    secret_key: Secret = variable(secret, "SECRET_KEY", "SECRET_KEY_BASE")
    debug: bool = variable(boolean, "DEBUG", default="false")
    log_level: str = variable(one_of(*LOG_LEVELS, upper=True), "LOG_LEVEL", default="INFO")
    service_name: str = variable(label, "SERVICE_NAME", default="torana")
    allowed_hosts: tuple[str, ...] = variable(items(allowed_host), "ALLOWED_HOSTS", default=LOOPBACK_HOSTS)
    enforce_https: Literal["off", "redirect", "refuse"] = variable(
        one_of("off", "redirect", "refuse"),
        "ENFORCE_HTTPS",
        default="off",
        default_in={"production": "redirect"},
    )
    security_headers: bool = variable(boolean, "SECURITY_HEADERS", default="true")
    proxy_status: bool = variable(boolean, "PROXY_STATUS", default="false")
    telemetry: bool = variable(boolean, "TELEMETRY", default="true")
    ops_access: Literal["restricted", "private", "public"] = variable(
        one_of("restricted", "private", "public"), "OPS_ACCESS", default="restricted"
    )
    gateway_host: str = variable(host, "GATEWAY_HOST", "API_HOST", default="127.0.0.1")
    gateway_port: int = variable(integer(0, 65535), "GATEWAY_PORT", "API_PORT", default="8000")
    api_prefix: str = variable(path_prefix, "API_PREFIX", "API_V1_PREFIX", default="/api/v1")
    publish: Literal["auto", "review"] = variable(one_of("auto", "review"), "PUBLISH", default="auto")
    var_dir: Path = variable(Path, "VAR_DIR")
    database: Database = variable(database_at, "DATABASE_URL")
    redis: Redis = variable(redis_at, "REDIS_URL")
    redis_host: str | None = variable(host, "REDIS_HOST")
    redis_port: int = variable(integer(1, 65535), "REDIS_PORT", default="6379")
    jwt_secret: Secret = variable(secret, "JWT_SECRET", "JWT_SECRET_KEY")
    jwt_algorithm: str = variable(one_of(*JWT_ALGORITHMS), "JWT_ALGORITHM", default="HS256")
    access_token_expire_minutes: int = variable(integer(1), "ACCESS_TOKEN_EXPIRE_MINUTES", default="15")
    refresh_token_expire_days: int = variable(integer(1, 3650), "REFRESH_TOKEN_EXPIRE_DAYS", default="7")
    azure_tenant_id: str | None = variable(azure_tenant, "AZURE_TENANT_ID")
    azure_client_id: str | None = variable(text, "AZURE_CLIENT_ID")
    azure_authority_host: Secret = variable(
        url_of("https", "http"), "AZURE_AUTHORITY_HOST", default="https://login.microsoftonline.com"
    )
    registration: Literal["open", "closed"] = variable(
        one_of("open", "closed"), "REGISTRATION", default="open"
    )
    staff_oidc_issuer: Secret | None = variable(url_of("https", "http"), "STAFF_OIDC_ISSUER")
    staff_oidc_client_id: str | None = variable(text, "STAFF_OIDC_CLIENT_ID")
    staff_oidc_client_secret: Secret | None = variable(secret, "STAFF_OIDC_CLIENT_SECRET")
    enable_authentication: bool = variable(boolean, "ENABLE_AUTHENTICATION", default="true")
    enable_rate_limiting: bool = variable(boolean, "ENABLE_RATE_LIMITING", default="true")
    circuit_breaker_enabled: bool = variable(boolean, "CIRCUIT_BREAKER_ENABLED", default="true")
    rate_limit_default: int | None = variable(integer(1), "RATE_LIMIT_DEFAULT")
    rate_limit_per_second: int | None = variable(integer(1), "RATE_LIMIT_PER_SECOND")
    rate_limit_burst: int | None = variable(integer(1), "RATE_LIMIT_BURST")
    rate_limit_requests: int | None = variable(integer(1), "RATE_LIMIT_REQUESTS")
    rate_limit_window_seconds: int | None = variable(integer(1), "RATE_LIMIT_WINDOW_SECONDS")
    circuit_breaker_failure_threshold: int = variable(
        integer(1), "CIRCUIT_BREAKER_FAILURE_THRESHOLD", default="5"
    )
    circuit_breaker_timeout_seconds: int = variable(
        integer(1), "CIRCUIT_BREAKER_TIMEOUT_SECONDS", default="60"
    )
    circuit_breaker_retry_timeout: int = variable(integer(1), "CIRCUIT_BREAKER_RETRY_TIMEOUT", default="30")
    fault_injection: bool = variable(
        boolean, "FAULT_INJECTION", default="true", default_in={"production": "false"}
    )
    zone: str = variable(label, "GATEWAY_ZONE", absent="")
    load_balancing_strategy: str = variable(
        one_of(*STRATEGIES), "LOAD_BALANCING_STRATEGY", default="round_robin"
    )
    service_timeout_s: float = variable(duration_s, "SERVICE_TIMEOUT", default="30s")
    trusted_proxies: tuple[Network, ...] = variable(items(network), "TRUSTED_PROXIES", absent=())
    cors_allowed_origins: tuple[str, ...] = variable(items(origin), "CORS_ALLOWED_ORIGINS", absent=())
    metrics_token: Secret | None = variable(secret, "METRICS_TOKEN")
    message_hub_url: Secret | None = variable(
        url_of("amqp", "amqps", "nats", "tls", "redis", "rediss", "http", "https"), "MESSAGE_HUB_URL"
    )
    email_url: Secret | None = variable(url_of(*SCHEMES), "EMAIL_URL")
    email_from: str = variable(text, "EMAIL_FROM", default="torana@localhost")
    discovery_approval: Literal["auto", "manual"] = variable(
        one_of("auto", "manual"),
        "DISCOVERY_APPROVAL",
        default="manual",
        default_in={"development": "auto"},
    )
    request_log: bool = variable(boolean, "REQUEST_LOG", default="true")
    request_log_faults_per_second: int = variable(integer(0), "REQUEST_LOG_FAULTS_PER_SECOND", default="50")
    request_log_samples_per_second: int = variable(integer(0), "REQUEST_LOG_SAMPLES_PER_SECOND", default="10")
    request_log_rows: int = variable(integer(1), "REQUEST_LOG_ROWS", default="100000")
    request_log_days: int = variable(integer(1, 3650), "REQUEST_LOG_DAYS", default="7")
    request_log_mask: tuple[str, ...] = variable(items(text), "REQUEST_LOG_MASK", absent=())
    access_log: str = variable(text, "ACCESS_LOG", default="off", default_in={"production": "stdout"})
    access_log_sample: float = variable(share, "ACCESS_LOG_SAMPLE", default="1")
    access_log_query: Literal["off", "names", "full"] = variable(
        one_of("off", "names", "full"), "ACCESS_LOG_QUERY", default="names"
    )
    access_log_hide: tuple[str, ...] = variable(
        items(text), "ACCESS_LOG_HIDE", default=",".join(SECRET_NAMES)
    )
    access_log_hide_paths: tuple[str, ...] = variable(items(text), "ACCESS_LOG_HIDE_PATHS", absent=())
    access_log_headers: tuple[str, ...] = variable(items(text), "ACCESS_LOG_HEADERS", default="user-agent")
    log_format: Literal["text", "json"] = variable(
        one_of("text", "json"),
        "LOG_FORMAT",
        default="text",
        default_in={"staging": "json", "production": "json"},
    )
    otel_endpoint: Secret | None = variable(url_of("http", "https"), "OTEL_EXPORTER_OTLP_ENDPOINT")
    otel_headers: tuple[tuple[str, Secret], ...] = variable(pairs, "OTEL_EXPORTER_OTLP_HEADERS", absent=())
    otel_service_name: str = variable(label, "OTEL_SERVICE_NAME", absent="")
    otel_attributes: tuple[tuple[str, Secret], ...] = variable(pairs, "OTEL_RESOURCE_ATTRIBUTES", absent=())
    otel_sampler: str = variable(one_of(*SAMPLERS), "OTEL_TRACES_SAMPLER", default="parentbased_always_on")
    otel_sampler_share: float = variable(share, "OTEL_TRACES_SAMPLER_ARG", default="1")
    breaks_everywhere: bool
    """Whether a CIRCUIT_BREAKER_… variable is given: then services without a breaker section have one, too."""
    service_urls: Mapping[str, tuple[str, ...]]
    """`<NAME>_SERVICE_URL` by the variable's name, as it stands: the compiler finds the services."""
    credential_pepper: Secret
    """Keys the hashes of API keys and session cookies; derived from SECRET_KEY."""
    jwt_secret_given: bool
    """Whether JWT_SECRET fixes the signing key; otherwise it is derived and may be rotated."""

    @property
    def is_deployed(self) -> bool:
        """True in staging and production, where browsers come over HTTPS."""
        return self.environment in ("staging", "production")

    @property
    def promises_https(self) -> bool:
        """Whether browsers that came over HTTPS may be told to come so always: they believe it for a year."""
        return self.is_deployed or self.enforce_https != "off"


def table() -> dict[str, Variable]:
    """The variables by field name, in the order of `GatewayConfig`."""
    return {each.name: each.metadata["variable"] for each in fields(GatewayConfig) if each.metadata}


def load_config(environ: Mapping[str, str]) -> GatewayConfig:
    """Read `environ`; raises ConfigError with every problem. VAR_DIR exists afterwards."""
    problems: list[str] = []
    values = _parsed(environ, problems)
    values["service_urls"] = _service_urls(environ, problems)
    values["breaks_everywhere"] = any(
        row.given(environ) for name, row in table().items() if name.startswith("circuit_breaker_")
    )
    problems += _contradictions(values, known=problems)
    if values["message_hub_url"] and (why := missing_library(values["message_hub_url"])):
        problems.append(f"MESSAGE_HUB_URL: {why}")
    if values["environment"] == "production":
        problems += _unsafe_in_production(values)
    if not problems:
        _fill_derived(values)
        _fill_secrets(values, problems)
    if problems:
        raise ConfigError(tuple(problems))
    return GatewayConfig(**values)


def _parsed(environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"environment": "development"}
    for field_name, row in table().items():
        name, value = row.given(environ) or (row.names[0], row.default_for(values["environment"]))
        try:
            values[field_name] = row.parse(value) if value else row.absent
        except ValueError as error:
            problems.append(f"{name}: {error}")
            values.setdefault(field_name, row.absent)
    return values


def _service_urls(environ: Mapping[str, str], problems: list[str]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in sorted(environ.items()):
        if name.endswith(SERVICE_URL_SUFFIX) and name != SERVICE_URL_SUFFIX and value.strip():
            try:
                found[name] = target_urls(value.strip())
            except ValueError as error:
                problems.append(f"{name}: {error}")
    return MappingProxyType(found)


def _contradictions(values: Mapping[str, Any], *, known: list[str]) -> list[str]:
    """Pairs of variables of which one says nothing without the other."""
    pairs = (
        ("azure_tenant_id", "azure_client_id"),
        ("azure_client_id", "azure_tenant_id"),
        ("staff_oidc_issuer", "staff_oidc_client_id"),
        ("staff_oidc_client_id", "staff_oidc_issuer"),
        ("staff_oidc_client_secret", "staff_oidc_issuer"),
        ("rate_limit_burst", "rate_limit_per_second"),
        ("rate_limit_window_seconds", "rate_limit_requests"),
        ("rate_limit_requests", "rate_limit_window_seconds"),
    )
    return [
        f"{needed.upper()}: is wanted beside {given.upper()}"
        for given, needed in pairs
        if values[given] is not None
        and values[needed] is None
        and not any(problem.startswith(f"{needed.upper()}:") for problem in known)
    ]


def _unsafe_in_production(values: Mapping[str, Any]) -> list[str]:
    problems = []
    if not values["secret_key"] and not values["jwt_secret"]:
        problems.append("SECRET_KEY: is missing; production does not make one up")
    for field_name in ("secret_key", "jwt_secret"):
        if why := _weakness(values[field_name] or ""):
            problems.append(f"{field_name.upper()}: {why}, which production refuses")
    if values["debug"]:
        problems.append("DEBUG: is on, which production refuses")
    if "*" in (values["allowed_hosts"] or ()):
        problems.append("ALLOWED_HOSTS: * lets any host in, which production refuses; name the hosts")
    return problems


def _weakness(value: str) -> str | None:
    if not value:
        return None
    if value.lower().startswith(PLACEHOLDER_PREFIXES):
        return "is a placeholder"
    return f"is shorter than {SHORTEST_SECRET} characters" if len(value) < SHORTEST_SECRET else None


def _fill_derived(values: dict[str, Any]) -> None:
    """Defaults that depend on other variables."""
    values["var_dir"] = (values["var_dir"] or DEFAULT_VAR_DIR).absolute()
    values["database"] = values["database"] or Database("sqlite", str(values["var_dir"] / "torana.sqlite3"))
    if values["redis"] is None:
        name = values["redis_host"]
        values["redis"] = redis_server(name, values["redis_port"]) if name else Redis("embedded")
    if values["rate_limit_burst"] is None and values["rate_limit_per_second"]:
        values["rate_limit_burst"] = 2 * values["rate_limit_per_second"]


def _fill_secrets(values: dict[str, Any], problems: list[str]) -> None:
    """SECRET_KEY and JWT_SECRET stand for each other; with neither, one is kept in VAR_DIR."""
    values["jwt_secret_given"] = values["jwt_secret"] is not None
    var_dir: Path = values["var_dir"]
    try:
        var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not values["secret_key"]:
            values["secret_key"] = (
                _derived(values["jwt_secret"], "secret key")
                if values["jwt_secret"]
                else Secret(secretfile.load_or_create(var_dir))
            )
    except OSError as error:
        problems.append(f"VAR_DIR: {var_dir} cannot be used: {error.strerror or error}")
        return
    if values["jwt_secret"]:
        problems += _unfit_key(values["jwt_secret"], values["jwt_algorithm"])
    values["jwt_secret"] = values["jwt_secret"] or _derived(values["secret_key"], "jwt")
    values["credential_pepper"] = _derived(values["secret_key"], "credentials")


def _unfit_key(secret: str, algorithm: str) -> list[str]:
    """JWT_SECRET must be a key for JWT_ALGORITHM: a shared secret, or a private key in PEM."""
    try:
        KeyRing.fixed(secret, algorithm)
    except UnusableKey as error:
        return [f"JWT_SECRET: {error}; JWT_ALGORITHM={algorithm} wants another"]
    return []


def _derived(key: str, purpose: str) -> Secret:
    """A key per purpose (HMAC as in the expand step of RFC 5869), so that one never reveals another."""
    return Secret(hmac.new(key.encode(), f"torana {purpose}\x01".encode(), hashlib.sha256).hexdigest())
