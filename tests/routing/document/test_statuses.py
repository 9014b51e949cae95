"""Maps from status to status."""

import pytest
from pydantic_core import PydanticCustomError

from routing.document.statuses import parse_status_map


def test_keys_may_be_texts() -> None:
    """YAML keys and JSON keys both arrive as numbers."""
    assert parse_status_map({"404": 204, 500: "503"}) == {404: 204, 500: 503}


@pytest.mark.parametrize("value", [[404], {"4xx": 204}, {404: 99}, {"٤٠٤": 204}, {404: None}, {"0404": 204}])
def test_refused(value: object) -> None:
    """Only statuses from 200 to 599, and only a mapping."""
    with pytest.raises(PydanticCustomError):
        parse_status_map(value)
