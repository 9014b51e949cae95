"""What the documents name is there: files, commands, variables."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from authproxy.rejections import Code
from gateway_project.config import table
from gateway_project.management.commands.gateway import SUBCOMMANDS
from scripts.docsite.places import GENERATED
from tests.support.source import PACKAGES, ROOT, shown, tracked

DOCUMENTS = [path for path in tracked() if path.suffix == ".md"]
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)[^)]*\)")
COMMAND = re.compile(r"(?:manage\.py |`)gateway ([a-z][^`\n]*)")
VARIABLE = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`")
ELSEWHERE = {
    "TORANA_VERSION",
    "BASE_DIGEST",
    "GATEWAY_JWKS",
    "JWT_SECRET_KEY",
    "CONTEXT_SERVICE_URL",
    "CHAT_SERVICE_URL",
    "QUICK",
    "GATEWAY_URL",
    "AUTH_SERVICE_URL",
    "MIX_ENV",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "PUBLIC_HOST",
    "CODE_GENERATOR_SERVICE_URL",
    "IMAGE_GENERATOR_SERVICE_URL",
}
"""Variables of the examples and of deploy/, second names, and what a library reads."""


def found(pattern: re.Pattern[str]) -> Iterator[tuple[Path, str]]:
    """Each match in each document."""
    assert len(DOCUMENTS) > 50
    return ((path, text) for path in DOCUMENTS for text in pattern.findall(path.read_text()))


def test_links_lead_somewhere() -> None:
    """Each relative link and picture; pages of reference are there when the site is built."""
    missing = [(path, link) for path, link in found(LINK) if not (path.parent / link).exists()]
    assert [
        (shown(path), link)
        for path, link in missing
        if shown((path.parent / link).resolve()) not in GENERATED
    ] == []


def test_commands_exist() -> None:
    """Each `gateway …` line is one that the command line takes as far as it goes; what follows `[` is for readers."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    subparsers = parser.add_subparsers()
    for module in SUBCOMMANDS:
        module.add(subparsers)
    known = subparsers.choices
    named = [(shown(path), shlex.split(line, comments=True)[0]) for path, line in found(COMMAND)]
    assert [(path, name) for path, name in named if name not in known] == []


def test_variables_exist() -> None:
    """Each variable in code letters is one that the gateway reads; codes of errors look alike."""
    known = (
        {name for row in table().values() for name in row.names} | ELSEWHERE | {code.value for code in Code}
    )
    assert {(shown(path), name) for path, name in found(VARIABLE) if name not in known} == set()


def test_architecture_names_files() -> None:
    """Each path of its last table exists; one without a folder is in the folder of the path before it."""
    rows = [
        row.split("|")[2]
        for row in (ROOT / "ARCHITECTURE.md").read_text().splitlines()
        if row.startswith("| ")
    ]
    missing = []
    for cell in rows[2:]:
        folder = ROOT
        for name in re.findall(r"`([\w./]+)`", cell):
            if name.partition("/")[0] in PACKAGES:
                folder = (ROOT / name).parent
            elif (ROOT / name).exists():
                folder = ROOT
            if not (ROOT / name).exists() and not (folder / name).exists():
                missing.append(name)
    assert missing == []
