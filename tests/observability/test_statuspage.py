"""The status of services as a page."""

import pytest

from observability.statuspage import page, wants_page


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("*/*", False),
        ("", False),
        ("application/json", False),
        ("application/json, text/html", False),
        ("TEXT/HTML;q=0.9, application/json", True),
    ],
)
def test_who_wants_a_page(accept: str, is_page: bool) -> None:
    assert wants_page(accept) is is_page


def test_it_says_everything_in_words() -> None:
    text = page("shop", "degraded", {"orders": "up", "mail": "down"}, "2026-01-01T12:00:00Z").decode()

    assert "Some things do not work as they should" in text
    assert [text.count(word) for word in ("> Up<", "> Down<", "> Degraded<")] == [1, 1, 0]
    assert "<script" not in text
    assert " style=" not in text


def test_names_are_text() -> None:
    text = page("<b>", "up", {'<script>alert("x")</script>': "up"}, "t").decode()

    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_without_services() -> None:
    assert b"No service is configured." in page("shop", "up", {}, "t")
