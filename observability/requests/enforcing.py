"""P: Where a policy in mode log stands in a document, and the entries with it enforced."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

Entry = dict[str, Any]


class NothingToEnforce(Exception):  # noqa: N818 - a refusal, told in one sentence
    """The policy is enforced already, or is gone; str(error) says so."""


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
        raise NothingToEnforce(f"{policy} of route {route} is not in mode log any more")
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
    """Whether that changed anything. Without the key, a policy is enforced."""
    if not isinstance(part, dict) or part.get("mode") != "log":
        return False
    del part["mode"]
    return True
