"""What is known of a kept request, and what is not."""

import pytest

from observability.requests.masking import Masking
from tests.support.replays import by, recorded


def test_fields_that_are_kept_masked_or_never_kept() -> None:
    """A name is known where its value is not; what ends at the gateway is never known."""
    given = recorded(headers=(("x-token", "…"), ("x-a", "1")))
    assert given.lacks_field(b"x-token", value=True)
    assert not given.lacks_field(b"x-token", value=False)
    assert not given.lacks_field(b"x-a", value=True)
    assert not given.lacks_field(b"x-b", value=True)
    assert given.lacks_field(b"x-forwarded-for", value=False)
    assert given.lacks_field(b"connection", value=False)


def test_of_more_fields_than_are_kept_none_is_known_to_be_missing() -> None:
    """Those that are there are known all the same."""
    given = recorded(headers=tuple((f"x-{number}", "1") for number in range(59)))
    assert given.lacks_field(b"x-b", value=False)
    assert not given.lacks_field(b"x-1", value=True)


@pytest.mark.parametrize("sent", [b"token=abc&v=1", b"%74oken=abc&v=1", b"to%6ben=a+b&v=1"])
def test_parameters(sent: bytes) -> None:
    """By their decoded names, as conditions have them; masked as they are kept."""
    given = recorded(query=Masking().query(sent))
    assert given.lacks_parameter(b"token", value=True)
    assert not given.lacks_parameter(b"token", value=False)
    assert not given.lacks_parameter(b"v", value=True)
    assert not given.lacks_parameter(b"w", value=False)


def test_callers() -> None:
    """With what their rights are worked out from."""
    given = recorded(**by(how="api_key", scopes=["b"], ceiling=["a", "b"], roles=["chef"]))
    assert given.caller is not None
    assert given.caller.scopes({"chef": frozenset({"a", "c"})}) == {"a", "b"}
    assert given.credentials == {b"x-api-key"}
    assert not given.has_more_names
    assert recorded(**by(roles=[str(number) for number in range(100)])).has_more_names
    assert recorded().caller is None


def test_what_is_cut_off() -> None:
    """A path, or a query."""
    assert recorded("/" + "a" * 1999).is_cut
    assert not recorded("/a").is_cut
    assert recorded(query="a=" + "b" * 1998).has_more_parameters
