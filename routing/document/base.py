"""P: What every part of the document schema shares: frozen models, and refusals with a stable id."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from routing.problems import IDS

Mode = Literal["enforce", "log"]
MODE_TEXT: Final = "`log` judges and counts but lets every request pass; `enforce` refuses."


class Spec(BaseModel):
    """A part of the document, as written and with defaults filled in. Unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=False,
        hide_input_in_errors=True,
        regex_engine="python-re",
    )


def refusal(problem_id: str, text: str) -> PydanticCustomError:
    """The error to raise in a validator: it becomes a Problem with this id and text."""
    assert problem_id in IDS
    # The text travels as a value: a brace in it must not be taken for a placeholder.
    return PydanticCustomError(problem_id, "{text}", {"text": text})


def option(default: Any, description: str, **more: Any) -> Any:
    """A key that may be left out, with its description, which is also the help text in admin and docs."""
    return Field(default, description=description, **more)
