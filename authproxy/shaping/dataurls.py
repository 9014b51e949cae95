"""P: Files inside of JSON: `data:` URLs (RFC 2397), judged without being decoded but for their first bytes."""

import re
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from authproxy.shaping.filetypes import judge_type
from authproxy.shaping.findings import shown
from authproxy.shaping.magic import BEGINNING
from authproxy.shaping.unfit import Unfit, file_type, too_large, unreadable_file
from routing.pointers import Pointer, find
from routing.shapes.validation import UploadRules

_LONGEST_HEAD: Final = 256
_HEAD: Final = re.compile(r"data:([^;,]*)((?:;[^;,]*?)*?)(;base64)?,", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_PERCENT: Final = re.compile(r"(?:[!$&'()*+,\-./0-9:;=?@A-Z_a-z~]|%[0-9A-Fa-f]{2})*+")
_ENCODED: Final = -(-BEGINNING // 3) * 4
"""How many characters of base64 the first bytes take."""
_DEFAULT_TYPE: Final = "text/plain"


def judge(value: Any, pointers: Sequence[Pointer], rules: UploadRules) -> Unfit | None:
    """All files that the pointers lead to; the first that may not come. What is absent or null is none."""
    total = 0
    for pointer in pointers:
        for place, text in find(value, pointer):
            size = _size(place, text, rules)
            if isinstance(size, Unfit):
                return size
            total += size
            if rules.max_total is not None and total > rules.max_total:
                message = f"The files together are larger than {rules.max_total} bytes."
                return too_large(message, {"field": place, "max_total": rules.max_total})
    return None


def _size(place: str, text: Any, rules: UploadRules) -> int | Unfit:
    """How many bytes a URL stands for."""
    if not isinstance(text, str):
        return unreadable_file(
            "There is no data: URL.", {"field": place, "value": shown([], text), "expected": "a data: URL"}
        )
    head = _HEAD.match(text, 0, _LONGEST_HEAD)
    if head is None:
        return unreadable_file(
            "There is no data: URL.", {"field": place, "value": text[:40], "expected": "a data: URL"}
        )
    at, is_base64 = head.end(), head[3] is not None
    size = _decoded_size(text, at, is_base64=is_base64)
    if size is None:
        expected = "base64 (RFC 4648 section 4)" if is_base64 else "percent-encoded text"
        return unreadable_file(
            "A data: URL is malformed.", {"field": place, "value": text[:40], "expected": expected}
        )
    if rules.max_file is not None and size > rules.max_file:
        message = f"A file is larger than {rules.max_file} bytes."
        return too_large(message, {"field": place, "max_file": rules.max_file, "found": size})
    mismatch = judge_type(
        rules.types, head[1].lower() or _DEFAULT_TYPE, _beginning(text, at, is_base64=is_base64)
    )
    if mismatch is not None:
        details = {"field": place, "expected": list(rules.types.listed), "found": mismatch.found}
        return file_type("A file is not of a type that is accepted here.", details)
    return size


def _decoded_size(text: str, at: int, *, is_base64: bool) -> int | None:
    if not is_base64:
        return None if _PERCENT.fullmatch(text, at) is None else len(text) - at - 2 * text.count("%", at)
    if (len(text) - at) % 4 or _BASE64.fullmatch(text, at) is None:
        return None
    return (len(text) - at) // 4 * 3 - text.count("=", max(at, len(text) - 2))


def _beginning(text: str, at: int, *, is_base64: bool) -> bytes:
    if is_base64:
        return b64decode(text[at : at + _ENCODED])[:BEGINNING]
    return unquote_to_bytes(text[at : at + 3 * BEGINNING])[:BEGINNING]
