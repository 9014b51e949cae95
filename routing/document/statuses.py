"""P: Maps from status to status."""

from typing import Annotated

from pydantic import PlainValidator
from pydantic import WithJsonSchema as JsonSchema

from routing.document.base import refusal
from routing.problems import quote

_SCHEMA = {
    "type": "object",
    "patternProperties": {"^[2-5][0-9][0-9]$": {"type": "integer", "minimum": 200, "maximum": 599}},
    "additionalProperties": False,
}


def parse_status_map(value: object) -> dict[int, int]:
    """`{404: 204}`; keys may be texts, as JSON has them."""
    if not isinstance(value, dict):
        raise refusal(
            "gateway.E004", f"must map statuses to statuses, such as {{404: 204}}, not {quote(value)}"
        )
    return {_status(old): _status(new) for old, new in value.items()}


def _status(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 200 <= value <= 599:
        raise refusal("gateway.E006", f"{quote(value)} is not a status from 200 to 599")
    return value


StatusMap = Annotated[dict[int, int], PlainValidator(parse_status_map), JsonSchema(_SCHEMA)]
