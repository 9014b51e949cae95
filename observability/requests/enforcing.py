"""P: Which policies of a document are in mode log, where they stand, and the entries with one enforced."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

Entry = dict[str, Any]
Named = tuple[str, str, str]
"""A route, a policy, and a quota where the policy is quotas."""
POLICIES: Final = ("auth", "ip", "limits", "quotas", "require_headers", "validate")
"""What takes a mode."""


class NothingToEnforce(Exception):  # noqa: N818 - a refusal, told in one sentence
    """The policy is enforced already, or is gone; str(error) says so."""


def in_mode_log(document: Mapping[str, Any]) -> Iterator[Named]:
    """All policies of routes that would only log. Without the key, a policy is enforced."""
    defaults = document.get("defaults") or {}
    logged = {each["name"] for each in document.get("quotas", ()) if _is_logged(each)}
    for route in document.get("routes", ()):
        for policy in POLICIES:
            written = route.get(policy)
            written = defaults.get(policy) if written is None else written
            if policy != "quotas":
                if _is_logged(written):
                    yield route["name"], policy, ""
                continue
            for use in written or ():
                name = use["name"] if isinstance(use, dict) else use
                if _is_logged(use) or name in logged:
                    yield route["name"], policy, name


def enforced(
    document: Mapping[str, Any], route: str, policy: str, quota: str = ""
) -> tuple[Entry, list[str]]:
    """A document of the entries that change, with the policy enforced, and their names. Raises NothingToEnforce."""
    entry: Entry = deepcopy(next((each for each in document.get("routes", ()) if each["name"] == route), {}))
    defaults: Entry = deepcopy(dict(document.get("defaults") or {}))
    holder, where = (entry, f"route {route}") if entry.get(policy) is not None else (defaults, "defaults")
    changes: Entry = {"version": 1}
    places: list[str] = []
    if entry and any([_enforce(part) for part in _parts(holder, policy, quota)]):
        changes |= {"routes": [entry]} if holder is entry else {"defaults": defaults}
        places.append(where)
    quotas = [
        deepcopy(each) for each in document.get("quotas", ()) if policy == "quotas" and each["name"] == quota
    ]
    if any([_enforce(each) for each in quotas]):
        changes["quotas"] = quotas
        places.append(f"quota {quota}")
    if not places:
        raise NothingToEnforce(f"the policy {policy} of route {route} is not in mode log any more")
    return changes, places


def _parts(holder: Entry, policy: str, quota: str) -> Iterator[Any]:
    """What has a mode of its own."""
    if policy == "quotas":
        yield from (
            use for use in holder.get("quotas") or () if isinstance(use, dict) and use.get("name") == quota
        )
    else:
        yield holder.get(policy)


def _enforce(part: Any) -> bool:
    """Whether that changed anything."""
    if not _is_logged(part):
        return False
    del part["mode"]
    return True


def _is_logged(part: Any) -> bool:
    return isinstance(part, dict) and part.get("mode") == "log"
