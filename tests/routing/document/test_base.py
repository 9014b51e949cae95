"""What the parts of the schema share."""

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from routing.document.base import Shorthand, Spec, option, refusal


class Inner(Shorthand):
    TEXT_IS = "name"
    name: str = option("", "A name.")
    size: int = option(1, "A size.")


class Outer(Spec):
    inner: Inner | None = option(None, "An inner part.")
    counts: dict[str, int] = option({}, "Counts.")
    level: int = option(3, "A level.")


def test_parts_are_frozen() -> None:
    """A specification never changes."""
    with pytest.raises(ValidationError):
        Outer().level = 4  # type: ignore[misc]


def test_unknown_keys_are_errors() -> None:
    """A key that the schema does not have is never ignored."""
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Outer.model_validate({"levle": 3})


def test_null_is_absent() -> None:
    """A key without a value says as much as no key."""
    assert Outer.model_validate({"level": None, "inner": None, "counts": None}) == Outer()


def test_text_stands_for_one_key() -> None:
    """A shorthand is the part with that key, and its JSON Schema offers both."""
    assert Outer.model_validate({"inner": "x"}).inner == Inner(name="x")

    schema = Outer.model_json_schema()["$defs"]["Inner"]
    assert schema["anyOf"][0] == {"type": "string"}
    assert set(schema["anyOf"][1]["properties"]) == {"name", "size"}
    assert schema["title"] == "Inner"


def test_mappings_are_not_shared() -> None:
    """Two parts never hold the same default mapping."""
    assert Outer().counts is not Outer().counts


def test_refusal_keeps_braces() -> None:
    """A text with braces is shown as it is."""
    error = refusal("gateway.E014", "say {id} or {name}")

    assert isinstance(error, PydanticCustomError)
    assert (error.type, str(error)) == ("gateway.E014", "say {id} or {name}")


def test_refusal_needs_an_id_of_the_table() -> None:
    """A new refusal gets an id first."""
    with pytest.raises(AssertionError):
        refusal("gateway.E000", "x")
