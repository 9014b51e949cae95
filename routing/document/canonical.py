"""P: One way to write each configuration: entries by name, keys in the schema's order, nothing that says nothing.

Export, revisions and comparisons rest on it: two documents that mean the same are equal here. Values stay as they
were written ("60s" is not turned into "1m").
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson
import yaml

from routing.document.schema import KINDS
from routing.document.shape import Key, Shape, document_shape

VERSION: Final = 1
_WIDTH: Final = 110


def canonicalise(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A new document that means the same. Unknown keys and ill-formed parts are kept: validation names them."""
    shape = document_shape()
    written = _section(raw, shape)
    written = {"version": raw.get("version", VERSION), **{k: v for k, v in written.items() if k != "version"}}
    for kind in KINDS:
        entries = written.get(kind)
        if isinstance(entries, list):
            written[kind] = sorted(entries, key=_name)
    return written


def digest(raw: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical document, in hexadecimal: the same for every order of entries and keys."""
    text = orjson.dumps(canonicalise(raw), option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(text).hexdigest()


def dump_yaml(raw: Mapping[str, Any]) -> str:
    """The document as YAML that reads back equal, for people and for Git."""
    text: str = yaml.dump(
        canonicalise(raw),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=False,
    )
    return text


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and never an alias for a part that stands twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _name(entry: Any) -> str:
    return str(entry.get("name", "")) if isinstance(entry, Mapping) else ""


def _section(part: Mapping[str, Any], shape: Shape) -> dict[str, Any]:
    """Known keys in the schema's order without those at their default, then the others as they come."""
    known = {
        name: _value(part[name], key)
        for name, key in shape.keys.items()
        if name in part and (key.always_written or not key.is_default(part[name]))
    }
    kept = {name: value for name, value in known.items() if not _says_nothing(value, shape.keys[name])}
    others = {name: part[name] for name in part if name not in shape.keys and part[name] is not None}
    if shape.extra is not None:
        extra = shape.extra
        others = {
            name: _section(value, extra) if isinstance(value, Mapping) else value
            for name, value in sorted(others.items())
        }
    return {**kept, **others}


def _value(value: Any, key: Key) -> Any:
    below = key.below
    if below is None:
        return _plain(value)
    if key.form == "list" and isinstance(value, list | tuple):
        return [_section(item, below) if isinstance(item, Mapping) else item for item in value]
    if key.form == "map" and isinstance(value, Mapping):
        return {
            name: _section(item, below) if isinstance(item, Mapping) else item for name, item in value.items()
        }
    if key.form == "section" and isinstance(value, Mapping):
        return _section(value, below)
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _says_nothing(value: Any, key: Key) -> bool:
    """An empty section whose absence means the same."""
    return value == {} and key.below is not None and key.form == "section" and key.below.empty_is_absent
