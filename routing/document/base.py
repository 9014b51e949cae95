"""P: What every part of the document schema shares: frozen models, and refusals with a stable id."""

import re
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from routing.problems import IDS

Mode = Literal["enforce", "log"]
MODE_TEXT: Final = "`log` judges and counts but lets every request pass; `enforce` refuses."


class Spec(BaseModel):
    """A part of the document with its defaults filled in. Unknown keys are errors; null means absent."""

    # Keys whose values are never shown in a message.
    SECRET: ClassVar[frozenset[str]] = frozenset()
    # Keys that are written out even when they have their default value.
    ALWAYS_WRITTEN: ClassVar[frozenset[str]] = frozenset()
    # Whether an empty section says the same as none.
    EMPTY_IS_ABSENT: ClassVar[bool] = False

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        regex_engine="python-re",
        model_title_generator=lambda model: _words(model.__name__.removesuffix("Spec")),
        field_title_generator=lambda name, info: info.alias or name,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if isinstance(data, dict) and None in data.values():
            return {name: value for name, value in data.items() if value is not None}
        return data


class Shorthand(Spec):
    """A part for which a text alone may stand: the value of the key that TEXT_IS names."""

    TEXT_IS: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, data: Any) -> Any:
        return {cls.TEXT_IS: data} if isinstance(data, str) else data

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        written_out = handler.resolve_ref_schema(handler(core))
        title, description = written_out.pop("title", ""), written_out.pop("description", "")
        either = [{"type": "string"}, dict(written_out)]
        written_out.clear()
        written_out.update({"title": title, "description": description, "anyOf": either})
        return written_out


def refusal(problem_id: str, text: str) -> PydanticCustomError:
    """The error to raise in a validator: it becomes a Problem with this id and text."""
    assert problem_id in IDS
    # The text travels as a value: a brace in it must not be taken for a placeholder.
    return PydanticCustomError(problem_id, "{text}", {"text": text})


def option(default: Any, description: str, **more: Any) -> Any:
    """A key that may be left out, with its description, which is also the help text in admin and docs."""
    if default == {}:  # else pydantic copies it deeply each time
        return Field(default_factory=dict, description=description, **more)
    return Field(default, description=description, **more)


MARK: Final = "managed_by"
"""The key that says which source of documents an entry belongs to."""
MARK_TEXT: Final = (
    "Which source of documents the entry belongs to, as `gateway apply --managed-by` names it. Only that source "
    "changes and prunes it."
)


def _words(name: str) -> str:
    """`TargetUrl` → `Target url`."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda m: f" {m[1].lower()}", name)
