"""P: A query string as pairs of texts, as a form has them (WHATWG URL, section application/x-www-form-urlencoded)."""

from typing import Final
from urllib.parse import parse_qsl

from authproxy.shaping.findings import Path

MOST_PARAMETERS: Final = 1000


def parse_query(query: bytes) -> list[tuple[str, str]] | None:
    """Names and values in order; None for what is not UTF-8, or too much."""
    try:
        text = query.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return None


def parameter(path: Path) -> str:
    """The place of a finding: `tags`, `tags[1]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else str(step) for step in path)
