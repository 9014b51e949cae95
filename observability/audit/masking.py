"""P: What the trail keeps of values: never a secret, never more than it has to."""

import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "***"
LONGEST_TEXT: Final = 4000
DETAILED_ENTRIES: Final = 500
MOST_DEPTH: Final = 40
_SECRET_NAME: Final = re.compile(
    r"(?i)(^|[_.\-\s\[])(password|passwd|secret|secrets|client_secret|private_key|pepper|digest|sealed|api_?key"
    r"|access_token|refresh_token|id_token|authorization|cookie|credential|credentials)\]?$"
)
_SECRET_TEXT: Final = re.compile(
    r"tor_[0-9A-Za-z]{1,12}_[0-9A-Za-z]+"  # an API key whole, with its secret part
    r"|eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*"  # a token
    r"|(?<=://)[^/\s:@]+:[^/\s@$]+(?=@)"  # a password in a URL
    r"|(?<=[Bb]earer )[0-9A-Za-z._~+/=-]{8,}"
    r"|(?<=[Bb]asic )[0-9A-Za-z+/=]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)


def masked(value: Any, name: str = "", depth: int = 0) -> Any:
    """A JSON value without secrets: by the name it goes by, and by how it looks. `${VAR}` stays as it is written."""
    if isinstance(value, Mapping):
        if depth >= MOST_DEPTH:
            return "…"
        return {clean(str(key)): masked(each, str(key), depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each, name, depth + 1) for each in value] if depth < MOST_DEPTH else "…"
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    if is_secret_name(name) and text and not is_reference(text):
        return MASK
    return clean(text)


def is_secret_name(name: str) -> bool:
    """Whether what goes by this name, or ends a path with it, is nobody's to read."""
    return bool(_SECRET_NAME.search(name))


def is_reference(text: str) -> bool:
    """Whether a text only names where a secret is: a variable of the environment, or a file."""
    return (text.startswith("${") and text.endswith("}")) or text.startswith("/")


def clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text that every database keeps, without what looks like a secret, and not too long."""
    kept = text[: longest * 4].replace("\0", "\N{REPLACEMENT CHARACTER}")
    kept = _SECRET_TEXT.sub(MASK, kept.encode("utf-8", "replace").decode())
    return kept if len(kept) <= longest else f"{kept[:longest]}…"


def entry(change: Mapping[str, Any]) -> dict[str, Any]:
    """One object's change, as the trail keeps it."""
    fields = [_field(each) for each in change.get("fields", ())]
    kept = {name: clean(str(change[name]), 300) for name in ("kind", "name", "action")}
    return {**kept, "fields": fields}


def entries(changes: tuple[Mapping[str, Any], ...]) -> list[dict[str, Any]]:
    """All of them; beyond the first few hundred only what they are about."""
    return [
        entry(change if place < DETAILED_ENTRIES else {**change, "fields": ()})
        for place, change in enumerate(changes)
    ]


def _field(change: Mapping[str, Any]) -> dict[str, Any]:
    path = str(change["path"])
    values = {side: masked(change[side], path) for side in ("before", "after") if side in change}
    return {"path": clean(path, 300), **values}
