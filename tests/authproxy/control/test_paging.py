"""Pages of lists: bounds, and cursors that come back as they went."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.control.paging import MOST, USUAL, Faulty, Window, cursor, packed, unpacked, window


def test_without_a_word() -> None:
    """The first hundred."""
    assert window({}) == Window(USUAL, None)


@given(st.text(min_size=1, max_size=100).filter(lambda text: "\0" not in text))
def test_a_cursor_comes_back(key: str) -> None:
    """Whatever the key is."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    assert window({"cursor": cursor(key), "limit": "7"}) == Window(7, key)


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.text('ab"\\[,', max_size=9), min_size=1, max_size=4))
def test_keys_of_several_values_come_back(values: list[int | str]) -> None:
    """Each as what it was."""
    assert unpacked(packed(values), len(values)) == tuple(values)


@pytest.mark.parametrize(
    "key", ["", "x", "1", "{}", "[]", "[1]", "[1, 2, 3]", "[1, null]", "[1, true]", '[1, "\\u0000"]']
)
def test_a_key_of_another_list(key: str) -> None:
    """Another number of values, or such as no list has."""
    with pytest.raises(Faulty):
        unpacked(key, 2)


@pytest.mark.parametrize("limit", ["0", "-1", "", "x", "1.0", "²", str(MOST + 1), "9" * 30])
def test_a_faulty_limit(limit: str) -> None:
    """Is told by its name."""
    with pytest.raises(Faulty) as caught:
        window({"limit": limit})
    assert caught.value.field == "limit"


@pytest.mark.parametrize("text", ["", "%", "a", "x" * 9000, "_w", cursor("a\0b")])
def test_a_faulty_cursor(text: str) -> None:
    """Not base64, not a text, too long, or nothing that a database takes."""
    with pytest.raises(Faulty) as caught:
        window({"cursor": text})
    assert caught.value.field == "cursor"
