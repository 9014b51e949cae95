"""P: Whether a file may come: by what it says that it is, and by its first bytes."""

from typing import Final, NamedTuple

from authproxy.shaping.contenttype import parse_content_type
from authproxy.shaping.magic import RECOGNISED, is_text, sniff
from routing.mediatypes import MediaTypes, is_json

UNRECOGNISED: Final = "not recognised"
_GENERIC: Final = ("", "application/octet-stream", "binary/octet-stream")
_TEXTUAL: Final = ("application/csv", "application/x-ndjson", "application/yaml", "application/javascript")


class Mismatch(NamedTuple):
    """What a file is, which is not what it may be."""

    found: str
    is_declared: bool
    """True: what it says of itself is not accepted."""


def judge_type(types: MediaTypes, content_type: str, beginning: bytes) -> Mismatch | None:
    """None where the file may come. Without types any may; `beginning` is the file, or its first bytes.

    A file passes when it says that it is of an accepted type, or says nothing, and its first bytes agree. Of kinds
    that have no mark, such as CSV, what it says must do, and a text must be one.
    """
    if not types:
        return None
    declared = _declared(content_type)
    if declared is None:
        return Mismatch(content_type[:80], is_declared=True)
    is_generic = declared in _GENERIC
    kind = sniff(beginning)
    if kind is not None:
        fits = (is_generic or declared in kind.names) and types.takes_any(kind.names)
        return None if fits else Mismatch(kind.name, is_declared=False)
    if is_generic:
        return Mismatch(UNRECOGNISED, is_declared=False)
    if not types.takes(declared):
        return Mismatch(declared, is_declared=True)
    if declared in RECOGNISED or (_is_textual(declared) and not is_text(beginning)):
        return Mismatch(UNRECOGNISED, is_declared=False)
    return None


def _declared(content_type: str) -> str | None:
    if not content_type:
        return ""
    parsed = parse_content_type(content_type)
    return None if parsed is None else parsed.media_type


def _is_textual(media_type: str) -> bool:
    return media_type.startswith("text/") or is_json(media_type) or media_type in _TEXTUAL
