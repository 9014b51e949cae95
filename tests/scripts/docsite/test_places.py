"""Where files of the repository are in the site."""

import pytest

from scripts.docsite.places import linked, page_of, rewritten, shown


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("docs/tour.md", "tour.md"),
        ("docs/images/audit.png", "images/audit.png"),
        ("ARCHITECTURE.md", "architecture.md"),
        ("examples/phoenix/README.md", "examples/phoenix.md"),
        ("examples/drill.sh", "files/examples/drill.sh.md"),
        (".env.example", "files/env.example.md"),
    ],
)
def test_pages(path: str, page: str) -> None:
    """Each file has one."""
    assert page_of(path) == page


def test_links_lead_to_pages() -> None:
    """From wherever the document's own page is; code, anchors and other sites are left alone."""
    text = "[a](../../docs/bus.md#x) [b](../drill.sh) [c](https://h/) [d](#e) `[f](../drill.sh)`\n"
    text += "```\n[g](../drill.sh)\n```\n"
    assert list(linked("[a](../../docs/bus.md#x) [b](../drill.sh)", "examples/edge/README.md")) == [
        "docs/bus.md",
        "examples/drill.sh",
    ]
    assert rewritten(text, "examples/edge/README.md") == (
        "[a](../bus.md#x) [b](../files/examples/drill.sh.md) [c](https://h/) [d](#e) `[f](../drill.sh)`\n"
        "```\n[g](../drill.sh)\n```\n"
    )


def test_files_are_shown_whole() -> None:
    """Whatever fences they have."""
    assert shown("a/b.py", "```\nx\n```\n") == "# a/b.py\n\n```` python\n```\nx\n```\n````\n"
