"""Pages that list others."""

from scripts.docsite.overviews import decisions, examples, first_sentence, heading_of


def test_lists() -> None:
    """With the heading of each, in order."""
    assert "[b](examples/b.md) — Bee\n:   It buzzes in two lines.\n" in examples(
        {"b": "# Bee\n\nIt buzzes\nin two lines.\n\nMore."}
    )
    listed = decisions({"0002-x.md": "# 2. X", "0001-y.md": "# 1. Y"})
    assert listed.index("- [1. Y](0001-y.md)") < listed.index("- [2. X](0002-x.md)")


def test_first_words() -> None:
    """Without links; nothing where there is nothing."""
    assert first_sentence("# A\n\nSee [this](x.md).\n\nno") == "See this."
    assert heading_of("no heading") == ""
