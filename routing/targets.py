"""P: Addresses of services: target URLs parsed once, and `<NAME>_SERVICE_URL` from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from routing.document.services import TargetSpec
from routing.snapshot import CompiledTarget

_SUFFIX = "_SERVICE_URL"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def compile_target(spec: TargetSpec) -> CompiledTarget:
    """A target as the schema accepted it."""
    return replace(
        parse_target(spec.url), weight=spec.weight, zone=spec.zone or "", backup=spec.backup, drain=spec.drain
    )


def parse_target(url: str) -> CompiledTarget:
    """Parse a target URL that the schema accepted."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return CompiledTarget(
            url=url,
            scheme="unix",
            host="",
            port=0,
            socket_path=unquote(parts.path),
            base_path=b"",
            authority=b"localhost",
        )
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    host = parts.hostname or ""
    port = parts.port or _DEFAULT_PORTS[scheme]
    name = f"[{host}]" if ":" in host else host
    return CompiledTarget(
        url=url,
        scheme=scheme,
        host=host,
        port=port,
        socket_path=None,
        base_path=parts.path.rstrip("/").encode("ascii"),
        authority=(name if port == _DEFAULT_PORTS[scheme] else f"{name}:{port}").encode("ascii"),
    )


def override_key(name: str) -> str:
    """What a service's name and an environment variable are compared by."""
    key = name.lower().replace("-", "_").replace(".", "_")
    return key.removesuffix("_service")


def find_overrides(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that replace targets, by `override_key`. Of two for one key, the first by name counts."""
    found: dict[str, str] = {}
    for variable in sorted(env, reverse=True):
        name = variable.upper()
        if name.endswith(_SUFFIX) and len(name) > len(_SUFFIX) and env[variable].strip():
            found[override_key(name.removesuffix(_SUFFIX))] = variable
    return found


def overridden(service: Mapping[str, Any], variable: str, env: Mapping[str, str]) -> dict[str, Any]:
    """A service as written, with the targets that a variable names, separated by commas."""
    urls = [url.strip() for url in env[variable].split(",")]
    # The document's own interpolation must leave the variable's text alone.
    return {**service, "targets": [{"url": url.replace("${", "$${")} for url in urls if url]}
