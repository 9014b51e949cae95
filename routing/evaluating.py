"""P: JMESPath expressions over whatever clients and services send: bounded in steps and in what comes out.

The language has no loops, but an expression runs once for each element of a list, and some texts grow in it: `join`
with a long glue, `[@, @] | [@, @] | …`. So each visit of a part of an expression counts as a step, glues and texts
are measured, and a result is measured before it is written. Whatever goes over is an expression that cannot be applied.
"""

from typing import Any, Final

import orjson
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature
from jmespath.parser import ParsedResult
from jmespath.visitor import Options, TreeInterpreter

from routing.document.jmespaths import reason_of

FEW_STEPS: Final = 2_000
"""A millisecond or two."""
STEPS_AT_ONCE: Final = 20_000
"""Ten milliseconds or two."""
MOST_STEPS: Final = 500_000
LARGEST_RESULT: Final = 16 << 20
_BYTES_A_STEP: Final = 64
_NUMBER: Final = 8  # bytes of a number or a constant, about


class TooManySteps(Exception):  # noqa: N818 - becomes a refusal, or another try
    """The expression is not done yet."""


class _Functions(Functions):  # type: ignore[misc]
    """The library's, without those that make much of little."""

    @signature({"types": ["string"]}, {"types": ["array-string"]})  # type: ignore[untyped-decorator]
    def _func_join(self, separator: str, array: list[str]) -> str:
        if len(separator) * len(array) > LARGEST_RESULT:
            raise ValueError("join() would make a text that is too long")
        return separator.join(array)


class _Counting(TreeInterpreter):  # type: ignore[misc]
    """Counts its steps, and looks at how long each text is that they make: few of them may double one often.

    What several parts put together may hold one value many times, so its size as it would be written counts, too.
    """

    def __init__(self, steps: int) -> None:
        super().__init__(Options(custom_functions=_FUNCTIONS))
        self._left = steps

    def visit(self, node: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise TooManySteps
        found = super().visit(node, *args, **kwargs)
        if found.__class__ is str and len(found) > LARGEST_RESULT:
            raise ValueError("a text that it makes on the way is too long")
        return found

    def visit_multi_select_list(self, node: dict[str, Any], value: Any) -> Any:
        return self._charged(super().visit_multi_select_list(node, value))

    def visit_multi_select_dict(self, node: dict[str, Any], value: Any) -> Any:
        return self._charged(super().visit_multi_select_dict(node, value))

    def _charged(self, made: Any) -> Any:
        self._left = _size(made, self._left * _BYTES_A_STEP) // _BYTES_A_STEP
        if self._left < 0:
            raise TooManySteps
        return made


_FUNCTIONS: Final = _Functions()


def evaluated(expression: ParsedResult, body: bytes, *, steps: int) -> bytes | None:
    """The JSON that an expression makes of a JSON text; None for what is no JSON.

    Raises ValueError where it cannot be applied, TooManySteps where it is not done by then.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    found = _searched(expression, value, steps)
    if _size(found, LARGEST_RESULT) < 0:
        raise ValueError(f"the result is larger than {LARGEST_RESULT} bytes")
    try:
        return orjson.dumps(found)
    except TypeError as error:
        raise ValueError(reason_of(error)) from None


def search(expression: ParsedResult, value: Any) -> Any:
    """What an expression makes of a JSON value, at once. Raises ValueError where it cannot be, or takes long."""
    try:
        return _searched(expression, value, STEPS_AT_ONCE)
    except TooManySteps:
        raise ValueError(f"it takes more than {STEPS_AT_ONCE} steps") from None


def _searched(expression: ParsedResult, value: Any, steps: int) -> Any:
    try:
        return _Counting(steps).visit(expression.parsed, value)
    except (JMESPathError, TypeError, OverflowError, ArithmeticError, RecursionError) as error:
        raise ValueError(reason_of(error)) from None


def _size(value: Any, left: int) -> int:
    """What is left of a budget of bytes after a value was written, about; below 0 as soon as it is spent.

    Parts of a result may be there many times over while they are in memory once.
    """
    pending = [value]
    while pending and left >= 0:
        part = pending.pop()
        if isinstance(part, str):
            left -= len(part)
        elif isinstance(part, list):
            left -= len(part)
            pending += part
        elif isinstance(part, dict):
            left -= sum(map(len, part)) + len(part)
            pending += part.values()
        else:
            left -= _NUMBER
    return left
