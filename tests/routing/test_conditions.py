import re

import pytest

from routing.conditions import HeaderCondition, QueryCondition, parameters


@pytest.mark.parametrize(
    ("condition", "headers", "holds"),
    [
        (HeaderCondition(b"x", b"1"), [(b"x", b"1")], True),
        (HeaderCondition(b"x", b"1"), [(b"x", b"2"), (b"x", b"1")], True),
        (HeaderCondition(b"x", b"1"), [(b"y", b"1")], False),
        (HeaderCondition(b"x", b"1"), [(b"x", b"11")], False),
        (HeaderCondition(b"x", b"1"), [], False),
        (HeaderCondition(b"x", regex=re.compile("beta.*")), [(b"x", b"beta-2")], True),
        (HeaderCondition(b"x", regex=re.compile("beta.*")), [(b"x", b"a beta")], False),
        (HeaderCondition(b"x", regex=re.compile(".é")), [(b"x", "aé".encode())], True),
        (HeaderCondition(b"x", regex=re.compile("..")), [(b"x", b"a\xff")], True),
        (HeaderCondition(b"x"), [(b"x", b"")], True),
        (HeaderCondition(b"x"), [(b"y", b"")], False),
    ],
)
def test_header_conditions(
    condition: HeaderCondition, headers: list[tuple[bytes, bytes]], holds: bool
) -> None:
    """A value is compared whole; of a repeated header any line may fit."""
    assert condition.holds(headers) is holds


@pytest.mark.parametrize(
    ("condition", "query", "holds"),
    [
        (QueryCondition(b"v", b"2"), b"v=2", True),
        (QueryCondition(b"v", b"2"), b"a=1&v=3&v=2", True),
        (QueryCondition(b"v", b"2"), b"v=%32", True),
        (QueryCondition(b"v", b"2"), b"%76=2", True),
        (QueryCondition(b"v", b"2"), b"vv=2", False),
        (QueryCondition(b"v", b"2"), b"", False),
        (QueryCondition(b"v", b"a b"), b"v=a+b", True),
        (QueryCondition(b"v", b"a+b"), b"v=a%2Bb", True),
        (QueryCondition(b"v", b""), b"v", True),
        (QueryCondition(b"v", b""), b"v=", True),
        (QueryCondition(b"v", b"a=b"), b"v=a=b", True),
        (QueryCondition(b"v"), b"&&v=x", True),
        (QueryCondition(b"v", regex=re.compile("[0-9]+")), b"v=x&v=12", True),
        (QueryCondition(b"v", regex=re.compile("[0-9]+")), b"v=12x", False),
        (QueryCondition("é".encode(), "ü".encode()), b"%C3%A9=%C3%BC", True),
    ],
)
def test_query_conditions(condition: QueryCondition, query: bytes, holds: bool) -> None:
    """Names and values are decoded as forms are; any occurrence may fit."""
    assert condition.holds(query) is holds


def test_parameters() -> None:
    """Pairs come in order, empty pieces are left out, broken escapes stay as they are."""
    assert list(parameters(b"a=1&&b&=c&d=%zz")) == [(b"a", b"1"), (b"b", b""), (b"", b"c"), (b"d", b"%zz")]


def test_conditions_say_what_they_want() -> None:
    """The text of a condition is made for explanations."""
    assert str(HeaderCondition(b"x-mode", b"beta")) == "header x-mode is 'beta'"
    assert str(HeaderCondition(b"x-mode", regex=re.compile("b.*"))) == "header x-mode fits 'b.*'"
    assert str(QueryCondition(b"v")) == "query parameter v is present"
