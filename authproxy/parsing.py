"""D: Request bodies of the gateway's own endpoints: small, strict, and a refusal for whatever is wrong with them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from authproxy import problems
from authproxy.refusing import Refused

MAX_BODY: Final = 64 * 1024
_MOST_FIELDS: Final = 64


class JsonParser(BaseParser):
    """One JSON object."""

    media_type = "application/json"
    largest: ClassVar[int] = MAX_BODY

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = read_bounded(stream, self.largest)
        if not body:
            return {}
        try:
            value = orjson.loads(body)
        except ValueError as error:
            raise ParseError("The body is not valid JSON.") from error
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        return value


class FormParser(BaseParser):
    """A form; a field that occurs twice is refused (RFC 6749 section 3.2)."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        try:
            text = read_bounded(stream, MAX_BODY).decode("ascii")
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise ParseError("The body is not a valid form.") from error
        form = dict(pairs)
        if len(form) != len(pairs):
            raise ParseError("A field occurs more than once.")
        return form


def read_bounded(stream: Any, largest: int) -> bytes:
    """The whole body; refused where it is larger."""
    body: bytes = stream.read(largest + 1)
    if len(body) > largest:
        raise Refused(problems.payload_too_large(largest))
    return body
