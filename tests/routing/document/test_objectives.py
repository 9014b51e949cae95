"""Windows of objectives."""

import pytest
from pydantic_core import PydanticCustomError

from routing.document.objectives import parse_window


def test_from_a_day_to_ninety() -> None:
    """In seconds."""
    assert parse_window("30d") == 30 * 86400.0
    for bad in ("1h", "91d", "soon"):
        with pytest.raises(PydanticCustomError):
            parse_window(bad)
