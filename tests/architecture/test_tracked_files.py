"""What may not be in the repository."""

import re

import pytest

from tests.support.source import LOCKS, ROOT, SBOM_LOCK, shown, tracked

# Spelled in pieces, so that this file passes its own test.
FORBIDDEN = re.compile(
    "|".join(
        (
            "/" + r"work/(main|shared)",
            "/" + r"root/\.",
            "/" + r"(home|Users)/[a-z]\w*/(?!\.\.)",
            "/opt/" + "pypi",
            "pypi" + r"\.org",
            "python" + r"hosted\.org",
            "npmjs" + r"\.(com|org)",
            "--(extra-)?" + "index-url (?!$)",
        )
    )
)
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".json",
    ".lock",
    ".html",
    ".css",
    ".js",
    ".sh",
    ".txt",
    ".lua",
    "",
}


def test_files_name_no_machine_and_no_registry() -> None:
    """Paths of somebody's machine and hosts of package registries mean nothing to others."""
    files = [path for path in tracked() if path.suffix in TEXT]
    found = {shown(path): {match.group() for match in FORBIDDEN.finditer(path.read_text())} for path in files}

    assert len(files) > 1000
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("name", [*LOCKS, SBOM_LOCK])
def test_lock_file_pins_by_hash_alone(name: str) -> None:
    """Each package has one version and its hashes, wherever it is fetched from."""
    text = (ROOT / name).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())

    assert len(entries) > 20
    assert [
        entry for entry in entries if not re.match(r"[\w.\[\],-]+==\S+.*\\\n +--hash=sha256:", entry)
    ] == []
    assert "://" not in text


def test_lock_files_agree() -> None:
    """Development and benchmarks run the very versions that are shipped."""
    pins = [
        dict(re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", (ROOT / name).read_text(), re.M)) for name in LOCKS
    ]

    for other in pins[1:]:
        assert {name: other.get(name) for name in pins[0]} == pins[0]


def test_nothing_that_a_run_writes_is_tracked() -> None:
    """Databases, secrets and logs stay under var/, which is ignored."""
    suffixes = {".sqlite3", ".db", ".log", ".sock", ".pem", ".key", ".env"}

    assert [shown(path) for path in tracked() if path.suffix in suffixes or path.name == ".env"] == []
