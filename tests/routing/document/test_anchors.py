"""YAML with anchors: what is shared, what is merged, and that little text cannot become much."""

import pytest
import yaml

from routing.document.anchors import MOST_VALUES, parse_foreign
from routing.document.interpolation import MAX_DEPTH
from routing.problems import ConfigurationInvalid

ALIKE = """
base: &base {a: 1, b: [x, y]}
again: *base
text: &text no
more: *text
merged: {<<: *base, a: 2}
merged_after:
  a: 3
  <<: *base
first_wins: {<<: [{a: 4}, *base, {c: 5}]}
"""


def test_values_are_those_of_any_reader() -> None:
    """A key of the mapping itself stands above what is merged into it, wherever it is written."""
    assert parse_foreign(ALIKE) == {**yaml.safe_load(ALIKE), "text": "no", "more": "no"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: *nothing", "line 1, column 4: *nothing is not there yet, or holds itself"),
        ("a: &a [*a]", "line 1, column 8: *a is not there yet, or holds itself"),
        ("a: {<<: 5}", "line 1, column 5: << wants a mapping, or a list of them"),
        ("a: {<<: [5]}", "line 1, column 5: << wants a mapping, or a list of them"),
        ("a: !!set {}", "tags (tag:yaml.org,2002:set) are not supported"),
    ],
)
def test_refusals_have_their_place(text: str, said: str) -> None:
    assert said in refusal(text)


def test_little_text_does_not_become_much() -> None:
    """Ten of ten of ten …; and one inside of another, deeper than any document."""
    tenfold = "a0: &a0 x\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 8)
    )
    assert len(tenfold) < MOST_VALUES / 1000
    assert "*a5 makes the document too large or too deep" in refusal(tenfold)

    deep = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, MAX_DEPTH + 2))
    assert "makes the document too large or too deep" in refusal(deep)


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationInvalid) as caught:
        parse_foreign(text)
    [problem] = caught.value.problems
    return str(problem)
