"""The configuration's shapes in the OpenAPI document: all of them, and no reference that leads nowhere."""

import json
import re

from gateway_project.documentdocs import add, schemas


def test_every_reference_leads_somewhere() -> None:
    """Within the document."""
    found = schemas()
    assert {"DocumentSpec", "RouteSpec", "ServiceSpec"} <= set(found)
    text = json.dumps(found)
    assert "#/$defs/" not in text
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) <= set(found)


def test_what_is_there_stays() -> None:
    """Shapes of the same name are the document's own."""
    result = add({"components": {"schemas": {"A": {"type": "string"}}}}, None, None, True)
    assert result["components"]["schemas"]["A"] == {"type": "string"}
    assert list(result["components"]["schemas"]) == sorted(result["components"]["schemas"])
