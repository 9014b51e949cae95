"""URLs as orders to purge write them."""

import pytest

from routing.purgeurls import canonical


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("https://A.Example/x?q=1", "https://a.example/x?q=1"),
        ("https://a.example", "https://a.example/"),
        ("/a/../x", "/x"),
        ("/é", "/%C3%A9"),
        ("ftp://a/x", None),
        ("//a/x", None),
        ("", None),
        ("/a\nb", None),
        ("x" * 3000, None),
        ("http://[", None),
    ],
)
def test_urls_are_compared_in_one_form(written: str, form: str | None) -> None:
    """That in which requests are forwarded."""
    assert canonical(written) == form
