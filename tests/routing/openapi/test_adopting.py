"""Parts of a service's document under the names that they have among others'."""

from typing import Any

from routing.foreign import Notes
from routing.openapi.adopting import Adopter, plain
from routing.openapi.reading import Source


def adopter(components: dict[str, Any], version: str = "3.1.0") -> tuple[Adopter, Notes]:
    notes = Notes()
    return Adopter(Source({"openapi": version, "components": components}, Notes()), "shop", notes), notes


def test_components_come_with_their_references_and_no_others() -> None:
    """A recursive one once."""
    node = {"properties": {"next": {"$ref": "#/components/schemas/Node"}, "$ref": {"type": "string"}}}
    made, _ = adopter({"schemas": {"Node": node, "Secret": {"type": "string"}}})

    assert made.adopted({"schema": {"$ref": "#/components/schemas/Node"}}, "x") == {
        "schema": {"$ref": "#/components/schemas/shop.Node"}
    }
    assert made.components == {
        "schemas": {
            "shop.Node": {
                "properties": {
                    "next": {"$ref": "#/components/schemas/shop.Node"},
                    "$ref": {"type": "string"},
                }
            }
        }
    }


def test_servers_inside_are_not_told() -> None:
    """Wherever OpenAPI lets them stand; what is only named so stays."""
    links = {"next": {"operationId": "read", "server": {"url": "http://inside:8000"}}}
    schema = {"properties": {"server": {"type": "string"}}}
    made, _ = adopter({})

    assert made.adopted({"links": links, "schema": schema, "servers": [{"url": "http://inside"}]}, "x") == {
        "links": {"next": {"operationId": "read"}},
        "schema": schema,
    }


def test_references_out_of_the_document_are_cut() -> None:
    """Nothing is fetched; the note names the place."""
    made, notes = adopter({"schemas": {}})
    elsewhere = ["http://169.254.169.254/x", "#/components/schemas/None", "file:///etc/passwd", "#/paths/~1a"]
    for reference in elsewhere:
        assert "$ref" not in made.adopted({"$ref": reference}, "GET /a")

    assert made.components == {}
    assert [line.startswith("GET /a: ") for line in notes.lines()] == [True] * 4


def test_what_is_data_stays_as_it_is() -> None:
    """Examples and defaults may look like anything."""
    written = {"default": {"$ref": "a"}, "enum": [{"nullable": True}], "x-y": {"$ref": "b"}, "examples": [1]}

    assert adopter({}, "3.0.3")[0].adopted(written, "x") == written


def test_30_is_said_as_31_says_it() -> None:
    """Null as a type, bounds as numbers; a property may be named as a keyword is."""
    written = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "nullable": True, "enum": ["x"]},
            "b": {"type": "integer", "minimum": 1, "exclusiveMinimum": True, "nullable": False},
            "c": {"nullable": True, "allOf": [{"type": "string"}]},
            "nullable": {"type": "boolean"},
            "callbacks": {"type": "boolean"},
        },
    }

    assert adopter({}, "3.0.3")[0].adopted(written, "x")["properties"] == {
        "a": {"type": ["string", "null"], "enum": ["x", None]},
        "b": {"type": "integer", "exclusiveMinimum": 1},
        "c": {"anyOf": [{"allOf": [{"type": "string"}]}, {"type": "null"}]},
        "nullable": {"type": "boolean"},
        "callbacks": {"type": "boolean"},
    }


def test_discriminators_lead_to_the_new_names() -> None:
    """Whether they name a schema or refer to it."""
    made, _ = adopter({"schemas": {"Cat": {}, "Dog": {}}})
    mapping = {"cat": "Cat", "dog": "#/components/schemas/Dog"}
    found = made.adopted({"discriminator": {"propertyName": "kind", "mapping": mapping}}, "x")

    assert found["discriminator"]["mapping"] == {
        "cat": "#/components/schemas/shop.Cat",
        "dog": "#/components/schemas/shop.Dog",
    }
    assert set(made.components["schemas"]) == {"shop.Cat", "shop.Dog"}


def test_names_stay_different() -> None:
    """Whatever they are made of."""
    assert len({plain(name) for name in ("a b", "a-b", "a_b", "a/b", "a~b", "a.b", "é")}) == 7
