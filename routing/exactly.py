"""P: Equality of JSON-like values that tells 1 from true and from 1.0, as a document does and Python does not."""

from typing import Any, Final

import orjson

_SORTED: Final = orjson.OPT_SORT_KEYS


def exactly_equal(one: Any, other: Any) -> bool:
    """Whether both say the same; the order of keys does not matter."""
    return one is other or (bool(one == other) and _is_of_same_types(one, other))


def surely_equal(one: Any, other: Any) -> bool:
    """The same of whole documents, sooner; where it is False, they may be equal all the same."""
    try:
        return orjson.dumps(one, option=_SORTED) == orjson.dumps(other, option=_SORTED)
    except TypeError:  # a number of more than 64 bits
        return False


def _is_of_same_types(one: Any, other: Any) -> bool:
    """Of values that are equal otherwise."""
    if type(one) is str:
        return isinstance(other, str)
    if isinstance(one, dict):
        return all([_is_of_same_types(value, other[key]) for key, value in one.items()])
    if isinstance(one, list | tuple):
        return all(map(_is_of_same_types, one, other))
    return type(one) is type(other)
