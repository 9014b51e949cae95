"""What a route writes to the access log, as the document says it."""

from typing import Any

import pytest
from pydantic import ValidationError

from routing.document.logs import LogSpec
from routing.document.route_rules import check_route_rules
from tests.support.documents import lines


def test_all_is_written_unless_something_else_is_said() -> None:
    """The share is the settings' then."""
    spec = LogSpec.model_validate({})
    assert (spec.access, spec.sample) == (True, None)


@pytest.mark.parametrize("raw", [{"sample": 1.1}, {"sample": -0.1}, {"sample": "much"}, {"access": 1}])
def test_faulty(raw: dict[str, Any]) -> None:
    """A share is from 0 to 1; a switch is true or false."""
    with pytest.raises(ValidationError):
        LogSpec.model_validate(raw)


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ({"access": False, "sample": 0.5}, ["W005 log.sample"]),
        ({"access": False}, []),
        ({"sample": 0.5}, []),
        (5, []),
    ],
)
def test_a_share_of_nothing_is_told(log: Any, found: list[str]) -> None:
    """What is malformed is told elsewhere."""
    raw = {"respond": {"status": 200}, "log": log}
    assert [line.split(":")[0] for line in lines(check_route_rules(raw))] == found
