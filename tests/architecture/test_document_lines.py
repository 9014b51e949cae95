"""Lines for a shell in documents are typed by a test, or there is a reason why not."""

import re
from pathlib import Path

from tests.support.consoles import Script
from tests.support.source import ROOT, shown, tracked

DOCUMENTS = {shown(path): path for path in tracked() if path.suffix == ".md" and path.name != "CHANGELOG.md"}
CONSOLE = re.compile(r"^```(?:console|sh|bash|shell)[^\n]*\n(.*?)^```", re.M | re.S)
INDENTED = re.compile(r"^    (?:\$ |gateway |curl |make |python )\S", re.M)
PROMPT = re.compile(r"^\$ ", re.M)

# Documents with lines that no Script holds: who types them, or why nobody does.
ELSEWHERE = {
    "ARCHITECTURE.md": "a drawing",
    "README.md": "make run begins tests/functional/test_documents_of_the_demo.py, and make test starts it",
    "docs/deployment.md": "they want containers or root: tests/architecture/test_deployment.py; as a package: "
    "tests/functional/test_package.py; the rest is typed",
    "docs/upgrading.md": "tests/functional/test_upgrading.py",
    "docs/resilience.md": "examples/drill.sh: tests/functional/test_example_drill.py; all else is typed",
}


def lines_of(text: str) -> int:
    """How many lines a document would have its reader type."""
    blocks = CONSOLE.findall(text)
    return sum(max(len(PROMPT.findall(block)), 1) for block in blocks) + len(INDENTED.findall(text))


def typed_of(path: Path) -> int:
    """How many of them a test types."""
    is_run = path.parent == ROOT / "docs" or (
        path.name == "README.md" and path.parent.parent.name == "examples"
    )
    return sum(1 + len(script.steps) for script in Script.all_of(path)) if is_run else 0


def test_lines_are_typed_by_a_test() -> None:
    """Each line follows `make run` or `make example`, whose documents are run, or the document is listed above."""
    paths = {
        name: path for name, path in DOCUMENTS.items() if name not in ELSEWHERE and "adr" not in path.parts
    }

    assert {name: lines_of(path.read_text()) for name, path in paths.items()} == {
        name: typed_of(path) for name, path in paths.items()
    }


def test_list_names_what_is_there() -> None:
    """Documents, and the tests of their lines."""
    assert [name for name in ELSEWHERE if name not in DOCUMENTS] == []
    named = {file for reason in ELSEWHERE.values() for file in re.findall(r"tests/[\w/]+\.py", reason)}
    assert [file for file in named if not (ROOT / file).is_file()] == []
