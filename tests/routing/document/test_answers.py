"""Policies on the way out, as specifications."""

import pytest
from pydantic import ValidationError

from routing.document.answers import CacheSpec, CorsSpec, FaultSpec, TransformSpec, WebSocketSpec


def test_defaults() -> None:
    """Each section has sensible values of its own."""
    assert (CacheSpec().methods, CacheSpec().ttl) == (("GET",), None)
    assert (WebSocketSpec().idle_timeout, WebSocketSpec().max_message) == (300.0, 1 << 20)
    assert (FaultSpec.model_validate({"until": "2030-01-01"}).percent, CorsSpec().credentials) == (
        100.0,
        False,
    )
    assert TransformSpec().request is None


def test_everything_that_the_contract_shows() -> None:
    """The spelling of the contract is read."""
    cors = CorsSpec.model_validate(
        {
            "origins": ["https://app.example.com"],
            "methods": ["GET"],
            "headers": ["authorization"],
            "credentials": True,
            "max_age": "10m",
        }
    )
    assert cors.max_age == 600.0
    assert CacheSpec.model_validate({"ttl": "60s", "override": True, "vary": ["accept"]}).ttl == 60.0
    assert WebSocketSpec.model_validate({"on_change": "drain"}).on_change == "drain"


@pytest.mark.parametrize(
    ("until", "at"),
    [
        ("2026-12-31", 1798675200.0),
        ("2026-12-31T18:00", 1798740000.0),
        ("2026-12-31T18:00Z", 1798740000.0),
        ("2026-12-31 18:00:30+02:00", 1798732830.0),
    ],
)
def test_end_of_a_fault(until: str, at: float) -> None:
    """A date, or a date and time."""
    assert FaultSpec.model_validate({"until": until}).until == at


@pytest.mark.parametrize(
    "until", ["tomorrow", "31.12.2026", "2026-12-31T", "2026-13-01", "2026-12-31T25:00", "", 7]
)
def test_end_of_a_fault_that_is_none(until: str) -> None:
    """Anything else is refused, and so is a fault without an end."""
    for keys in ({"until": until}, {}):
        with pytest.raises(ValidationError):
            FaultSpec.model_validate({**keys, "abort": 503})
