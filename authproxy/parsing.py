"""D: Request bodies of the gateway's own endpoints: small, strict, and a refusal for whatever is wrong with them."""

from collections.abc import Mapping
from typing import Any, Final
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

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = _read(stream)
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
            text = _read(stream).decode("ascii")
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise ParseError("The body is not a valid form.") from error
        form = dict(pairs)
        if len(form) != len(pairs):
            raise ParseError("A field occurs more than once.")
        return form


def _read(stream: Any) -> bytes:
    body: bytes = stream.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise Refused(problems.payload_too_large(MAX_BODY))
    return body
