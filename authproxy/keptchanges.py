"""I: The changes of identity that a node's workers know, kept as a file for a start without a database.

A line for each change, in the order of their numbers, shared by all workers of a node: whoever hears of a change first
writes it down. It has names of accounts and keys' numbers, no secrets. Each line ends with its checksum. A line that
was torn by a crash or edited is passed over. The others still count: a change that is known too much refuses somebody,
and never lets anybody in.
"""

import fcntl
import logging
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import orjson

from authproxy.changes import Change
from routing.lastgood import replace

LOG = logging.getLogger(__name__)
FILE_NAME: Final = "identity-changes"
FORMAT: Final = b"torana-identity-changes-1"
MOST_BYTES: Final = 32 * 1024 * 1024
_TAIL: Final = 64 * 1024  # a change has far less
_CHECKSUM: Final = 8

Kept = Literal["kept", "not now", "begin anew"]


class KeptChanges:
    """One per worker, for the change feed's thread. Never raises: what cannot be kept is said once.

    Whoever was told "not now" has to come back with all of it; another worker is writing, or the disk is full.
    """

    def __init__(self, var_dir: Path) -> None:
        self.path = var_dir / FILE_NAME
        self._lock = var_dir / f"{FILE_NAME}.lock"
        self._is_failing = False

    def load(self) -> list[Change]:
        """What was kept, oldest first; nothing, with a line in the log, if there is nothing that can be trusted."""
        try:
            with self.path.open("rb") as file:
                head, *lines = file.read(2 * MOST_BYTES).splitlines() or [b""]
        except FileNotFoundError:
            return []
        except OSError as error:
            self._complain(error)
            return []
        if head != FORMAT:
            LOG.warning("%s is not used: it has another format", self.path)
            return []
        found = [change for line in lines if (change := _read(line)) is not None]
        if len(found) < len(lines):
            LOG.warning("%s: %d lines are torn or edited, and not used", self.path, len(lines) - len(found))
        return sorted(found, key=lambda change: change.number)

    def rewrite(self, changes: Sequence[Change], *, upto: int) -> Kept:
        """All that counts of the changes up to that number. Later ones that another worker has kept stay."""
        try:
            with self._alone():
                later = [change for change in self.load() if change.number > upto]
                self._remove_orphans()
                replace(self.path, b"".join([FORMAT, b"\n", *map(_written, [*changes, *later])]))
        except OSError as error:
            return self._put_off(error)
        self._is_failing = False
        return "kept"

    def append(self, changes: Sequence[Change]) -> Kept:
        """Adds those that no other worker has added. "begin anew": there is no file to add to, or it is too long."""
        try:
            with self._alone():
                done = _append(self.path, changes)
        except FileNotFoundError:
            return "begin anew"
        except OSError as error:
            return self._put_off(error)
        self._is_failing = False
        return done

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Raises BlockingIOError where another worker is at it: that one may be stopped, and nobody waits for it."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(descriptor)

    def _remove_orphans(self) -> None:
        """What workers that were killed in the middle of `rewrite` left behind."""
        for orphan in self.path.parent.glob(f".{FILE_NAME}.*"):
            orphan.unlink(missing_ok=True)

    def _put_off(self, error: OSError) -> Kept:
        if not isinstance(error, BlockingIOError):
            self._complain(error)
        return "not now"

    def _complain(self, error: OSError) -> None:
        if not self._is_failing:
            LOG.warning(
                "%s cannot be used, so a start without the database may miss revocations: %s",
                self.path,
                error.strerror or error,
            )
        self._is_failing = True


def _append(path: Path, changes: Sequence[Change]) -> Kept:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    with os.fdopen(descriptor, "ab") as file:
        if os.pread(descriptor, len(FORMAT) + 1, 0) != FORMAT + b"\n":
            return "begin anew"
        newest = _newest(descriptor)
        file.writelines(_written(change) for change in changes if change.number > newest)
        file.flush()
        os.fsync(descriptor)
        return "kept" if os.fstat(descriptor).st_size <= MOST_BYTES else "begin anew"


def _newest(descriptor: int) -> int:
    """The number of the last whole line; ends a torn one, so that the next begins on a line of its own."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    if not tail.endswith(b"\n"):
        os.write(descriptor, b"\n")
    for line in reversed(tail.splitlines()):
        if (change := _read(line)) is not None:
            return change.number
    return 0


def _written(change: Change) -> bytes:
    text = orjson.dumps(tuple(change))
    return b"%s %s\n" % (text, _checksum(text))


def _read(line: bytes) -> Change | None:
    text, checksum = line[: -_CHECKSUM - 1], line[-_CHECKSUM:]
    if not text or checksum != _checksum(text):
        return None
    match orjson.loads(text):
        case [int(number), str(subject), float(at)]:
            return Change(number, subject, at)
    return None


def _checksum(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)
