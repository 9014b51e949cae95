"""I: The process environment as one frozen object."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class ConfigError(Exception):
    """Every problem of the environment, one per line."""


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """What the environment said (first cut: the table of variables follows)."""

    environment: str
    secret_key: str
    debug: bool
    var_dir: Path
    database_url: str


def load_config(environ: Mapping[str, str]) -> GatewayConfig:
    """Read `environ`; raises ConfigError that lists every problem."""
    return GatewayConfig(
        environment=environ.get("ENVIRONMENT", "development"),
        secret_key=environ.get("SECRET_KEY", "first-cut-only"),
        debug=environ.get("DEBUG", "") == "true",
        var_dir=Path(environ.get("VAR_DIR", "var")).absolute(),
        database_url=environ.get("DATABASE_URL", ""),
    )
