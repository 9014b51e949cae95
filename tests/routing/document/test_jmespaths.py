"""JMESPath expressions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.document.jmespaths import MAX_LENGTH, check_jmespath, compiled

BROKEN = ["", "a.", "a[", "nothing(", "lenght(a)", "length(a, b)", "join(`,`)", "a ||"]


@pytest.mark.parametrize("expression", [*BROKEN, "(" * 3000, "a" * (MAX_LENGTH + 1)])
def test_what_does_not_compile_is_refused_with_its_place(expression: str) -> None:
    """And with the reason, in one line."""
    (finding,) = check_jmespath(expression, ("transform", "request"))

    assert finding.id == "gateway.E039"
    assert finding.location == ("transform", "request")
    assert "\n" not in finding.message


@given(text=st.text(max_size=30))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    """Nothing else is ever raised."""
    findings = list(check_jmespath(text, ()))

    assert all(finding.message.isprintable() for finding in findings)
    if not findings:
        assert compiled(text).expression == text
