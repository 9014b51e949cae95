"""Refusals: every code has one status."""

import pytest

from authproxy.rejections import STATUS, Code, Rejection


@pytest.mark.parametrize("code", Code)
def test_every_code_has_an_error_status(code: Code) -> None:
    """No code is left without a 4xx or 5xx."""
    assert 400 <= Rejection(code, "x").status < 600
    assert code.value == code.name


def test_the_table_names_nothing_else() -> None:
    """The status table is exactly the list of codes."""
    assert set(STATUS) == set(Code)
