"""Texts that come again."""

from observability.accesslog.known import LONGEST_KNOWN, MOST_KNOWN, Known


def test_each_is_made_once() -> None:
    made: list[str] = []

    def make(key: str) -> bytes:
        made.append(key)
        return key.encode()

    known = Known(make)

    assert [known[key] for key in ("a", "b", "a", "b")] == [b"a", b"b", b"a", b"b"]
    assert made == ["a", "b"]


def test_whoever_makes_up_names_fills_no_memory() -> None:
    """Neither many nor long ones."""
    known = Known(str.encode)
    for number in range(3 * MOST_KNOWN):
        assert known[str(number)] == str(number).encode()
        assert 0 < len(known) <= MOST_KNOWN
    before = len(known)

    assert len(known["x" * (LONGEST_KNOWN + 1)]) == LONGEST_KNOWN + 1
    assert len(known) == before
