"""Which keys this version acts on."""

from collections.abc import Mapping
from typing import Any

import pytest

from routing.document.honoured import (
    HONOURED,
    honoured_values,
    is_honoured,
    unhonoured,
    unhonoured_section,
)
from routing.document.schema import KINDS
from routing.document.shape import Shape, entry_shape
from tests.support.documents import lines


def unknown(table: Mapping[str, Any], shape: Shape | None) -> list[str]:
    """Names that the schema does not have."""
    keys = shape.keys if shape is not None else {}
    found = [name for name in table if name not in keys]
    for name in table.keys() & keys:
        if isinstance(table[name], Mapping):
            found += [f"{name}.{each}" for each in unknown(table[name], keys[name].below)]
    return found


def test_table_names_keys_of_the_schema() -> None:
    """No line of the table is misspelt."""
    assert [
        (kind, found) for kind, table in HONOURED.items() if (found := unknown(table, entry_shape(kind)))
    ] == []


@pytest.mark.parametrize(
    ("kind", "key", "answer"),
    [
        ("services", "", True),
        ("services", "timeout", True),
        ("services", "timeout.connect", True),
        ("services", "targets.url", True),
        ("services", "targets.weight", True),
        ("services", "breaker.enabled", True),
        ("services", "protocol", True),
        ("routes", "auth", True),
        ("routes", "auth.level", True),
        ("routes", "auth.scopes", True),
        ("routes", "forward_identity", True),
        ("plans", "name", True),
        ("plans", "quotas", True),
        ("identity_providers", "claims.subject", True),
        ("routes", "limits.max_body", True),
        ("routes", "limits.queue", True),
        ("routes", "websocket", True),
        ("routes", "websocket.max_message", True),
        ("defaults", "timeout", True),
        ("quotas", "", True),
        ("quotas", "limit", True),
        ("routes", "no.such.key", False),
    ],
)
def test_questions_of_forms(kind: str, key: str, answer: bool) -> None:
    """A form asks which fields to show."""
    assert is_honoured(kind, key) is answer


def test_values_of_choices() -> None:
    """A form offers only what works."""
    assert honoured_values("services", "protocol") is None
    assert honoured_values("routes", "auth.level") is None
    assert honoured_values("routes", "timeout") is None
    assert honoured_values("routes", "websocket.max_message") is None


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        (
            "services",
            {"name": "s", "targets": [{"url": "http://a", "weight": 1, "drain": False}], "panic": False},
        ),
        (
            "services",
            {
                "load_balancing": "round_robin",
                "protocol": "h2c",
                "timeout": {"total": "1s"},
                "tls": {"sni": "a"},
            },
        ),
        ("services", {"breaker": None, "hash_on": None, "targets": "nonsense", "protocol": 5}),
        (
            "routes",
            {
                "auth": {"level": "public", "scopes": [], "mode": "enforce"},
                "cors": None,
            },
        ),
        (
            "routes",
            {
                "ip": {},
                "require_headers": {"mode": "enforce"},
                "backends": [],
                "compress": False,
                "status_map": {},
            },
        ),
        ("routes", {"forward_identity": "headers", "unknown": 5, "auth": "nonsense"}),
    ],
)
def test_defaults_are_no_wish(kind: str, entry: dict[str, Any]) -> None:
    """A key at its default asks for nothing; wrong values are reported elsewhere."""
    assert lines(unhonoured(kind, entry)) == []


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"protocol": "h2"}, 'E030 protocol: "h2" is not honoured by this version yet; possible: http'),
        ({"breaker": {"failure_threshold": 2}}, "E030 breaker"),
    ],
)
def test_wishes_that_cannot_be_granted(
    entry: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never ignored silently, in a version that could do less."""
    less = {**HONOURED["services"], "protocol": ("http",), "breaker": False}
    monkeypatch.setitem(HONOURED, "services", less)  # type: ignore[arg-type]
    [found] = lines(unhonoured("services", entry))

    assert message in found


def test_sections() -> None:
    """A section that nothing of this version acts on is refused whole."""
    refused = [kind for kind in KINDS if unhonoured_section(kind) is not None]

    assert refused == []
    assert unhonoured_section("webhooks") is not None
