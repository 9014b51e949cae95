"""P: What variables of header values, paths and hosts stand for in a request that is explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from routing.paths import NormalPath
from routing.shapes.templates import Facts
from routing.snapshot import CompiledRoute, service_of

_MADE: Final = b"(made for each request)"
_USUAL_STATUS: Final = 200


@dataclass(frozen=True, slots=True)
class ToldCaller:
    """A caller as admission tells of it."""

    consumer: str = ""
    kind: str = ""
    name: str = ""
    plan: str = ""
    user_id: str = ""
    roles: frozenset[str] = frozenset()


def facts_of(
    route: CompiledRoute,
    path: NormalPath,
    *,
    method: str,
    scheme: str,
    host: bytes,
    query: bytes,
    headers: Sequence[tuple[bytes, bytes]],
    address: str,
    caller: Mapping[str, Any] | None,
) -> Facts:
    """The request's id is its own if it brings one; the answer's status is taken to be 200."""
    request_id = next((value for name, value in headers if name == b"x-request-id"), _MADE)
    service = service_of(route.destination) or ""
    told = None if caller is None else caller_of(caller)
    return Facts(
        method,
        scheme,
        host,
        path,
        query,
        headers,
        address,
        request_id,
        told,
        route.name,
        service,
        _USUAL_STATUS,
    )


def caller_of(told: Mapping[str, Any]) -> ToldCaller:
    """What is missing is empty."""
    texts = {name: str(told.get(name) or "") for name in ("consumer", "kind", "name", "plan", "user_id")}
    return ToldCaller(**texts, roles=frozenset(map(str, told.get("roles") or ())))
