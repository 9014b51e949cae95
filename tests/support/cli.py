"""D: Runs `gateway` subcommands inside the test's process and database."""

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.core.management import call_command


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON that it printed."""
        return orjson.loads(self.out)


def gateway(*arguments: str | Path) -> Ran:
    """Runs `manage.py gateway …`."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("gateway", *map(str, arguments), stdout=out, stderr=err)
    except SystemExit as exit_:
        return Ran(int(exit_.code or 0), out.getvalue(), err.getvalue())
    return Ran(0, out.getvalue(), err.getvalue())


def written(folder: Path, document: Any, name: str = "document.yaml") -> Path:
    """A file that holds the document (JSON is YAML)."""
    file = folder / name
    file.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return file


def typed(monkeypatch: Any, text: str) -> None:
    """Text on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
