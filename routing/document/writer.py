"""P: JSON-like values as YAML text that reads back equal under every YAML 1.1 and 1.2 reader.

Texts stay plain only if nobody could take them for anything else; several lines become a block
where a block keeps every character. Own code, since a file's bytes must not change with a library.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z_/.*-][A-Za-z0-9_/.:+*@$()-]*")
_QUANTITY: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d|B|KB|MB|GB)")
# What some reader takes for a boolean, null, number, date, time, merge key or document mark.
_RESERVED: Final = re.compile(
    r"~|null|true|false|yes|no|on|off|y|n|=|<<|---|\.\.\.|-|"
    r"[-+]?\.?(?:inf|nan)|[-+.]?[0-9].*|-\.[0-9].*",
    re.IGNORECASE,
)
_UNSAFE_START: Final = re.compile(r"[*-](?:$|[^A-Za-z0-9/_])|[*&!]")
# Characters that some reader rejects or takes for a line break.
_ESCAPED: Final = re.compile("[\x7f-\x9f\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_NOT_IN_BLOCK: Final = re.compile(f"[\x00-\x09\x0b-\x1f]|{_ESCAPED.pattern}")
_MAX_FLOW: Final = 100
_MAPPING: Final = (dict, Mapping)  # the quicker question first
_NESTED: Final = (dict, list, tuple, Mapping)
SHORT: Final = 64
"""Characters, of texts that are remembered."""
_EMPTY_DOCUMENT: Final = "{}\n"


def write_yaml(value: Any) -> str:
    """The text, ending in a newline. Mappings keep their order."""
    if isinstance(value, Mapping) and not value:
        return _EMPTY_DOCUMENT
    lines: list[str] = []
    _write(lines, value, "", "")
    return "\n".join(lines) + "\n"


def _write(lines: list[str], value: Any, first: str, indent: str) -> None:
    """Block lines of a mapping or list; a scalar is one line or a block of its own.

    `first` stands before the first line, `indent` before all others.
    """
    if isinstance(value, _MAPPING) and value:
        for name, item in value.items():
            _write_headed(lines, f"{first}{_text(str(name))}:", item, indent)
            first = indent
    elif isinstance(value, list | tuple) and value:
        for item in value:
            if (flow := _flow(item)) is not None:
                lines.append(f"{first}- {flow}")
            else:
                _write(lines, item, f"{first}- ", f"{indent}  ")
            first = indent
    else:
        _write_scalar(lines, value, first, indent)


def _write_headed(lines: list[str], head: str, item: Any, indent: str) -> None:
    if isinstance(item, _MAPPING) and item:
        lines.append(head)
        _write(lines, item, f"{indent}  ", f"{indent}  ")
    elif type(item) is not str and (flow := _flow(item)) is not None:
        lines.append(f"{head} {flow}")
    elif isinstance(item, list | tuple) and item:
        lines.append(head)
        _write(lines, item, indent, indent)  # a list may stand at the depth of its key
    else:
        _write_scalar(lines, item, f"{head} ", indent)


def _flow(items: Any) -> str | None:
    """`[a, b]` of a list in which all are short scalars, else None."""
    if not isinstance(items, list | tuple):
        return None
    for item in items:
        if type(item) is not str and isinstance(item, _NESTED):
            return None
    text = f"[{', '.join([_scalar(item) for item in items])}]"
    return text if len(text) <= _MAX_FLOW else None


def _write_scalar(lines: list[str], value: Any, first: str, indent: str) -> None:
    if type(value) is str and "\n" not in value:
        lines.append(f"{first}{_text(value)}")
        return
    head, *others = _scalar_lines(value)
    lines.append(f"{first}{head}")
    lines += [f"{indent}{line}" if line else line for line in others]


def _scalar_lines(value: Any) -> list[str]:
    if isinstance(value, str) and "\n" in value and _fits_block(value):
        body = value.rstrip("\n")
        kept = len(value) - len(body)
        style = "|-" if kept == 0 else "|" if kept == 1 else "|+"
        # What is inside a block is indented by two, relative to the key or dash.
        return [style, *(f"  {line}" if line else "" for line in body.split("\n")), *[""] * (kept - 1)]
    return [_scalar(value)]


def _fits_block(value: str) -> bool:
    lines = value.split("\n")
    return (
        bool(value.strip("\n"))
        and not value.startswith(("\n", " "))
        and not _NOT_IN_BLOCK.search(value)
        and not any(line != line.rstrip() or line.startswith(("---", "...")) for line in lines)
    )


def _scalar(value: Any) -> str:
    if isinstance(value, str):  # as most are
        return _text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    return _text(str(value))


def _number(value: int | float) -> str:
    text = json.dumps(value)
    # YAML 1.1 wants a fraction before an exponent: 1e+16 would be a text.
    return re.sub(r"^(-?[0-9]+)e\+?", r"\1.0e+", text).replace("e+-", "e-") if "e" in text else text


def _text(text: str) -> str:
    return _short(text) if len(text) <= SHORT else _written(text)


@lru_cache(maxsize=4096)
def _short(text: str) -> str:
    """Keys and names come again and again."""
    return _written(text)


def _written(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and not (
        _RESERVED.fullmatch(text) or _UNSAFE_START.match(text) or text.endswith(":")
    )
    if is_plain or _QUANTITY.fullmatch(text):
        return text
    return _ESCAPED.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
