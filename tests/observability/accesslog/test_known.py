"""Texts that come again."""

import orjson

from observability.accesslog.known import LONGEST_KNOWN, LONGEST_US, MOST_KNOWN, ROUND, Known, Milliseconds


def test_each_is_made_once() -> None:
    made: list[str] = []

    def make(key: str) -> bytes:
        made.append(key)
        return key.encode()

    known = Known[str](make)

    assert [known[key] for key in ("a", "b", "a", "b")] == [b"a", b"b", b"a", b"b"]
    assert made == ["a", "b"]


def test_whoever_makes_up_names_fills_no_memory() -> None:
    """Neither many nor long ones."""
    known = Known[str](str.encode)
    for number in range(3 * MOST_KNOWN):
        assert known[str(number)] == str(number).encode()
        assert 0 < len(known) <= MOST_KNOWN
    before = len(known)

    assert len(known["x" * (LONGEST_KNOWN + 1)]) == LONGEST_KNOWN + 1
    assert len(known) == before


def test_milliseconds_are_written_as_json_writes_them() -> None:
    """To the microsecond; a second time as well."""
    known = Milliseconds(b"")
    durations = (0.0, 1e-6, 1e-5, 5e-5, 0.0015, 0.001, 0.0081915, 0.0081925, 1.0, 12.345678, 86_400.0)
    for seconds in durations * 2:
        assert known[seconds * 1e6 + ROUND] == orjson.dumps(round(seconds * 1e6) / 1000)


def test_milliseconds_that_are_remembered_have_a_bound() -> None:
    known = Milliseconds(b',"auth":')
    for us in range(int(LONGEST_US) * 2):
        assert known[us + ROUND].startswith(b',"auth":')
    assert known[-3.0 + ROUND] == b',"auth":-0.003'

    assert len(known) == LONGEST_US
