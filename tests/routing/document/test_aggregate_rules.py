"""What the parts of an aggregate must be to each other."""

from typing import Any

import pytest

from routing.document.aggregate_rules import check_aggregate

MATCH = {"path": "/all/{id}", "path_type": "template"}


def found(**parts: Any) -> list[tuple[str, tuple[str | int, ...]]]:
    asked = {name: {"service": "s", "path": "/", **part} for name, part in parts.items()}
    return [
        (finding.id, finding.location[2:])
        for finding in check_aggregate({"name": "r", "match": MATCH}, {"parts": asked})
    ]


@pytest.mark.parametrize(
    ("parts", "finding"),
    [
        ({"errors": {}}, ("gateway.E036", ("errors",))),
        ({"a": {"pick": "items["}}, ("gateway.E039", ("a", "pick"))),
        ({"a": {"path": "/${parts.b.id}"}}, ("gateway.E011", ("a", "path"))),
        ({"a": {"path": "/${parts.a.id}"}}, ("gateway.E036", ())),
        ({"a": {"path": "/${parts.b.id}"}, "b": {"path": "/${parts.a.id}"}}, ("gateway.E036", ())),
        ({"a": {"path": "/${parts.a}"}}, ("gateway.E039", ("a", "path"))),
        ({"a": {}, "b": {"path": "/${parts.a.lenght(x)}"}}, ("gateway.E039", ("b", "path"))),
        ({"a": {"path": "/${consumer.nmae}"}}, ("gateway.E045", ("a", "path"))),
        ({"a": {"required": True, "fallback": []}}, ("gateway.W005", ("a", "fallback"))),
        ({"a": {"path": None}}, ("gateway.E003", ("a", "path"))),
        ({"a": {"service": None, "path": None}}, ("gateway.E012", ("a",))),
        ({"a": {"path": None, "value": {"x": 1}}}, ("gateway.E022", ("a", "service"))),
        ({"a": {"service": None, "path": None, "value": ["${user.nmae}"]}}, ("gateway.E045", ("a", "value"))),
    ],
)
def test_findings(parts: dict[str, Any], finding: tuple[str, tuple[str, ...]]) -> None:
    """Each at its place."""
    assert found(**parts) == [finding]


def test_right_parts() -> None:
    """Parts may need each other as long as nobody waits for himself."""
    assert found(a={"path": "/${path.id}"}, b={"path": "/${parts.a.x}"}, c={"path": "/${parts.b.x}"}) == []
    assert list(check_aggregate({}, None)) == list(check_aggregate({}, {"parts": [1]})) == []
