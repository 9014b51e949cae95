"""P: Which routes and plans name a quota, read off what their rows hold."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Use(NamedTuple):
    """A route that counts against a quota; `key` is its row's, None for the defaults of all routes."""

    route: str
    key: int | None
    is_log: bool


def quota_uses(
    routes: Iterable[tuple[int, str, Any]], defaults: Mapping[str, Any] | None
) -> dict[str, list[Use]]:
    """By quota, the routes that name it: rows are (key, name, quotas). Defaults hold for routes that name none."""
    found: dict[str, list[Use]] = {}
    rows: list[tuple[int | None, str, Any]] = [(None, "", (defaults or {}).get("quotas")), *routes]
    for key, route, quotas in rows:
        for name, is_log in _named(quotas):
            found.setdefault(name, []).append(Use(route, key, is_log))
    return found


def plans_of(plans: Iterable[tuple[int, str, Any]], quota: str) -> list[tuple[int, str, Mapping[str, Any]]]:
    """The plans that put something in the quota's place, and what: rows are (key, name, quotas)."""
    return [
        (key, plan, each)
        for key, plan, quotas in plans
        for each in (quotas if isinstance(quotas, list) else ())
        if isinstance(each, Mapping) and each.get("name") == quota
    ]


def _named(quotas: Any) -> Iterable[tuple[str, bool]]:
    """What a list of names or of {name, mode} says."""
    for each in quotas if isinstance(quotas, list) else ():
        if isinstance(each, Mapping):
            yield str(each.get("name") or ""), each.get("mode") == "log"
        else:
            yield str(each), False
