"""I: The newest revision that compiled, kept as a file for a start without a database; and documents from files."""

import logging
import os
import tempfile
from pathlib import Path
from typing import Any, Final

import orjson

from routing.document.canonical import digest
from routing.document.yaml import parse_text
from routing.problems import ConfigurationInvalid, Problem
from routing.revision import RevisionRecord, checksum
from routing.validation import check_document

LOG = logging.getLogger(__name__)
FORMAT: Final = "torana-revision-1"
FILE_NAME: Final = "last-revision.json"


class LastGood:
    """One file under VAR_DIR: a header line, then the document. Workers may save at the same time."""

    __slots__ = ("path",)

    def __init__(self, var_dir: Path) -> None:
        self.path = var_dir / FILE_NAME

    def save(self, record: RevisionRecord) -> None:
        """Replaces the file in one step; a crash leaves the old one or the new one. Raises OSError."""
        if self._holds(record):
            return
        text = orjson.dumps(record.document).decode()
        header = {
            "format": FORMAT,
            "number": record.number,
            "digest": record.digest,
            "checksum": checksum(text),
        }
        replace(self.path, orjson.dumps(header) + b"\n" + text.encode() + b"\n")

    def load(self) -> RevisionRecord | None:
        """The kept revision; None, with a line in the log, if there is none that can be trusted."""
        try:
            return _parse_kept(self.path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError) as error:
            LOG.warning("%s is not used: %s", self.path, error)
            return None

    def _holds(self, record: RevisionRecord) -> bool:
        try:
            with self.path.open("rb") as file:
                header = orjson.loads(file.readline(10_000))
        except (OSError, ValueError):
            return False
        return (header.get("number"), header.get("digest")) == (record.number, record.digest)


def read_revision(path: Path) -> RevisionRecord:
    """A kept revision, or an exported document (number 0). Raises OSError or ConfigurationInvalid."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationInvalid([Problem("gateway.E001", "", f"is not UTF-8: {error}")]) from error
    if text.startswith("{") and FORMAT in text[:200]:
        try:
            return _parse_kept(text)
        except (ValueError, KeyError) as error:
            raise ConfigurationInvalid([Problem("gateway.E001", "", str(error))]) from error
    document = parse_text(text)
    if not isinstance(document, dict):
        raise ConfigurationInvalid(check_document(document, env={}).problems)
    return RevisionRecord(number=0, digest=digest(document), document=document)


def _parse_kept(text: str) -> RevisionRecord:
    head, _, body = text.partition("\n")
    header: dict[str, Any] = orjson.loads(head)
    body = body.removesuffix("\n")
    if header.get("format") != FORMAT:
        raise ValueError("it has another format")
    if header["checksum"] != checksum(body):
        raise ValueError("its checksum is wrong: it was torn or edited")
    return RevisionRecord(number=header["number"], digest=header["digest"], document=orjson.loads(body))


def replace(path: Path, content: bytes) -> None:
    """Gives a file other content in one step; a crash leaves all of the old or all of the new. Mode 0600."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
