"""What nodes tell each other is understood, and what makes no sense is ignored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.health import UNKNOWN, Standing
from resilience.verdicts import Verdict, field_of, pack, unpack

numbers = st.floats(allow_nan=False, allow_infinity=False)
standings = st.builds(
    Standing,
    healthy=st.sampled_from([True, False, None]),
    since=numbers,
    run=st.integers(0, 2**31),
    ok=st.booleans(),
    why=st.text(max_size=30),
    status=st.integers(0, 599),
    latency_s=numbers,
    at=numbers,
)


@given(st.lists(st.builds(Verdict, st.text(), st.text(), st.text(), standings), max_size=4))
def test_a_message_is_read_as_it_was_written(verdicts: list[Verdict]) -> None:
    """Whatever the names."""
    assert unpack(pack(verdicts)) == verdicts


@pytest.mark.parametrize(
    "message", [b"", b"{", b"1", b"[1]", b'[["s","t","n"]]', b'[["s","t","n",[1]]]', b'["abcd"]', b"null"]
)
def test_nonsense_says_nothing(message: bytes) -> None:
    """It may be another version's."""
    assert unpack(message) == []


def test_fields_name_one_target_of_one_service() -> None:
    """Two services may share a target."""
    assert Verdict("shop", "http://a:1", "n", UNKNOWN).field == field_of("shop", "http://a:1")
    assert field_of("shop", "http://a:1") != field_of("store", "http://a:1")
