"""P: JMESPath expressions that people write (jmespath.org): do they compile?"""

import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult

from routing.document.findings import Finding, Location
from routing.problems import did_you_mean, quote

MAX_LENGTH: Final = 4000


@lru_cache(maxsize=4096)
def compiled(expression: str) -> ParsedResult:
    """The expression, parsed once. Raises ValueError that says what is wrong with it."""
    if len(expression) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)  # of texts between backticks
            parsed = jmespath.compile(expression)
        _check_functions(parsed.parsed)
        return parsed
    except JMESPathError as error:
        raise ValueError(f"is not a JMESPath expression: {reason_of(error)}") from None
    except RecursionError:
        raise ValueError("is not a JMESPath expression: it is nested too deeply") from None


def check_jmespath(expression: object, location: Location) -> Iterator[Finding]:
    """Refuses what does not compile. Only texts are looked at."""
    if isinstance(expression, str):
        try:
            compiled(str(expression))
        except ValueError as problem:
            yield Finding("gateway.E039", location, f"{quote(expression)} {problem}", expression)


def _check_functions(node: dict[str, Any]) -> None:
    """The library looks functions up when it runs them."""
    pending: list[Any] = [node]
    while pending:
        node = pending.pop()
        if not isinstance(node, dict):
            continue
        pending += node.get("children", ())
        if node.get("type") == "function_expression":
            known = Functions.FUNCTION_TABLE.get(node["value"])
            given = len(node["children"])
            if known is None:
                names = Functions.FUNCTION_TABLE
                raise ValueError(
                    f"has no function {quote(node['value'])}{did_you_mean(node['value'], names)}"
                )
            wanted = known["signature"]
            if given < len(wanted) or (given > len(wanted) and not (wanted and wanted[-1].get("variadic"))):
                raise ValueError(f"gives {node['value']}() {given} arguments, which takes {len(wanted)}")


def reason_of(error: Exception) -> str:
    """An error of the library in one printable line."""
    reason = str(error).partition("\n")[0].strip()[:300] or type(error).__name__
    return "".join(each if each.isprintable() else "?" for each in reason)
