"""Reading documents: what values mean, what is refused and where, and that nothing else gets out."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from routing.document.yaml import MAX_CHARACTERS, parse_text, resolve_plain
from routing.problems import ConfigurationInvalid
from tests.support.documents import texts


def refusal(text: str | bytes) -> str:
    with pytest.raises(ConfigurationInvalid) as caught:
        parse_text(text)
    [problem] = caught.value.problems
    return str(problem)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *(
            (word, word)
            for word in ("no", "yes", "on", "off", "y", "N", "010", "0o10", "0x1f", "1_000", "12:30")
        ),
        *(
            (word, word)
            for word in ("2026-01-01", ".inf", ".nan", "1.", ".5", "+", "9" * 5000, "1e999", "tRUE")
        ),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("9" * 40, int("9" * 40)),
        ("+3", 3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ('"5"', "5"),
        ("'no'", "no"),
        ("30s", "30s"),
        ("|\n  a\n  b\n", "a\nb\n"),
    ],
)
def test_plain_values(written: str, value: object) -> None:
    """Only decimal numbers, true, false and null are not texts."""
    parsed = parse_text(f"key: {written}")

    assert parsed == {"key": value}
    assert type(parsed["key"]) is type(value)


def test_keys_are_texts_as_written() -> None:
    """A key is never resolved: 404, no and null are names."""
    assert parse_text("404: a\nno: b\nnull: c\n'x y': d") == {"404": "a", "no": "b", "null": "c", "x y": "d"}


@pytest.mark.parametrize(
    "text", ["", "# only a comment", "---", "null", "\ufeff", b"\xef\xbb\xbf", "--- \n...\n"]
)
def test_nothing_is_an_empty_document(text: str | bytes) -> None:
    """A file without content names nothing."""
    assert parse_text(text) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", 'line 3, column 1: the key "a" is there twice'),
        ('{"a": 1,\n "a": 2}', 'line 2, column 2: the key "a" is there twice'),
        ("a: &x 1", "line 1, column 4: anchors (&x) are not supported"),
        ("a: [1]\nb: *x", "line 2, column 4: aliases (*x) are not supported; write it out"),
        ("<<: {a: 1}", "line 1, column 1: merge keys (<<) are not supported"),
        ("a: !!int 5", "line 1, column 4: tags (tag:yaml.org,2002:int) are not supported"),
        ("a: !!python/object/apply:os.system [x]", "tags (tag:yaml.org,2002:python/object/apply:os.system)"),
        ("? [a]\n: 1", "line 1, column 3: a key must be a plain text"),
        ("a: 1\n---\nb: 2", "line 2, column 1: only one document may be in the text"),
        (
            "a:\n\t- b",
            "line 2, column 1: found character that cannot start any token; indent with spaces, not tabs",
        ),
        ("a: @b", "line 1, column 4: found character that cannot start any token; put the text in quotes"),
        ("a: b: c", 'put a text that contains ": " in quotes'),
        ("a: [1, 2", "line 2, column 1: did not find expected ',' or ']'"),
        ('{"a": 1,}}', "line 1, column 10"),
        ("a: \x01", "the document cannot be read: unacceptable character"),
        ("a: '\ud800'", "half of a surrogate pair"),
        (b"a: 1\nb: \xff", "the document is not UTF-8 text (line 2)"),
        ("- " * 100 + "x", "is nested too deeply"),
        ("[" * 100_000, "line 1, column 65: is nested too deeply"),
    ],
)
def test_refused_with_the_place(text: str | bytes, message: str) -> None:
    """Whatever could surprise is refused, and the message says where."""
    assert message in refusal(text)


def test_size_is_bounded() -> None:
    """A text beyond the limit is not even looked at."""
    assert refusal(" " * (MAX_CHARACTERS + 1)) == "the document is larger than 64 MB"


def test_flow_mapping_that_is_not_json() -> None:
    """A text that begins like JSON may be YAML."""
    assert parse_text("{a: 1, b: [x]}") == {"a": 1, "b": ["x"]}
    assert parse_text('{"a": NaN}') == {"a": "NaN"}


@given(
    st.text(max_size=60) | st.text("abc:-[]{}&*!|>'\"#%@`,? \n\t0.~", max_size=40) | st.binary(max_size=40)
)
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    """Random texts never raise anything but a refusal, and have the structure that PyYAML sees."""
    try:
        parsed = parse_text(text)
    except ConfigurationInvalid:
        return
    assert skeleton(parsed or None) == skeleton(yaml.load(text, yaml.CBaseLoader) or None)


def skeleton(value: Any) -> Any:
    """Mappings and lists without the scalars in them."""
    if isinstance(value, dict):
        return {key: skeleton(item) for key, item in value.items()}
    return [skeleton(item) for item in value] if isinstance(value, list) else None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**9), 10**9) | texts,
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    )
)
def test_json_reads_as_itself(value: object) -> None:
    """JSON is accepted as it is."""
    expected = {} if value is None else value

    assert parse_text(json.dumps({"a": value})) == {"a": value}
    assert parse_text(json.dumps([expected], ensure_ascii=False)) == [expected]


def test_resolving_a_plain_text() -> None:
    """The rules for unquoted texts are one function."""
    assert [resolve_plain(text) for text in ("5", "5s", "True", "-", "~")] == [5, "5s", True, "-", None]
