"""P: Where files of the repository are in the site, and links to them rewritten.

A page of the site may be made of a file outside `docs/`. Other files that pages link to have a page that shows them.
"""

import posixpath
import re
from collections.abc import Callable, Iterator

DOCS = "docs/"
WHOLE = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/RESULTS.md": "benchmarks.md",
}
GENERATED = frozenset(
    f"docs/{name}.md"
    for name in (
        "adr/index",
        "examples",
        *(f"reference/{page}" for page in ("configuration", "commands", "variables")),
        *(f"reference/api-{page}" for page in ("sign-in", "builtin", "configuration", "control")),
    )
)
"""Pages of `docs/` that are made while the site is built."""
_EXAMPLE = re.compile(r"examples/([\w-]+)/README\.md")
_LINK = re.compile(r"(\]\()((?!\w+:|#|/)[^)#\s]+)(#[^)\s]*)?(\))")
LANGUAGES = {"yml": "yaml", "py": "python", "js": "javascript", "sh": "bash", "example": "bash"}


def page_of(path: str) -> str:
    """The page (`guide.md`) for a file of the repository (`docs/guide.md`, `examples/phoenix/README.md`)."""
    if path.startswith(DOCS):
        return path.removeprefix(DOCS)
    if found := _EXAMPLE.fullmatch(path):
        return f"examples/{found[1]}.md"
    return WHOLE.get(path) or f"files/{path.lstrip('.')}.md"


def linked(text: str, origin: str) -> Iterator[str]:
    """The files of the repository that a document at `origin` links to."""
    for found in _LINK.finditer(text):
        yield _target(found[2], origin)


def rewritten(text: str, origin: str) -> str:
    """The document with its links as they are on its page."""
    here = posixpath.dirname(page_of(origin))

    def replace(found: re.Match[str]) -> str:
        page = page_of(_target(found[2], origin))
        return f"{found[1]}{posixpath.relpath(page, here or '.')}{found[3] or ''}{found[4]}"

    return _outside_code(text, lambda part: _LINK.sub(replace, part))


def shown(path: str, text: str) -> str:
    """A page that shows a file."""
    suffix = path.rpartition(".")[2]
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=2) + 1)
    return f"# {path}\n\n{fence} {LANGUAGES.get(suffix, suffix)}\n{text.rstrip()}\n{fence}\n"


def _target(link: str, origin: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    parts = re.split(r"(^```.*?^```$|`[^`\n]+`(?!\]))", text, flags=re.M | re.S)
    return "".join(part if part.startswith("`") else change(part) for part in parts)
