"""P: Files judged while they pass, piece by piece: type, size of each, size of all. Nothing of them is kept but their
first bytes. Whatever the pieces, the verdict is that on the whole."""

from typing import Final, Protocol

from authproxy.shaping.filetypes import Mismatch, judge_type
from authproxy.shaping.magic import BEGINNING
from authproxy.shaping.multipart import Malformed, MultipartReader, PartBegins, PartEnds
from authproxy.shaping.unfit import Unfit, file_type, malformed_upload, too_large
from routing.mediatypes import MediaTypes, is_json
from routing.shapes.validation import UploadRules

MB: Final = 1 << 20
MOST_OTHER: Final = 2 * MB
"""Bytes of a form that are not content of files: fields, header fields and boundaries."""
LONGEST_NAME: Final = 80
Place = dict[str, str | None]


class Judge(Protocol):
    """Sees a body pass."""

    @property
    def is_sure(self) -> bool:
        """The beginning of the first file has been judged, or the body is over."""

    def feed(self, piece: bytes) -> Unfit | None: ...

    def finish(self) -> Unfit | None: ...


class FileCheck:
    """One file."""

    __slots__ = ("_beginning", "_content_type", "_place", "_rules", "_total", "is_sure", "size")

    def __init__(self, rules: UploadRules, content_type: str, place: Place, *, total: int) -> None:
        self._rules = rules
        self._content_type = content_type
        self._place = place
        self._total = total  # of the files before
        self._beginning = b""
        self.is_sure = False
        self.size = 0

    def add(self, piece: bytes) -> Unfit | None:
        """More of it. What comes first in the file is told first."""
        if self.is_sure:
            return self._count(len(piece))
        first = piece[: BEGINNING - self.size]
        self._beginning += first
        wrong = self._count(len(first))
        if wrong is None and self.size == BEGINNING:
            wrong = self.judge() or self._count(len(piece) - len(first))
        return wrong

    def judge(self) -> Unfit | None:
        """By its first bytes: as soon as there are enough of them, or at its end."""
        if self.is_sure:
            return None
        self.is_sure = True
        if self.size == 0 and self._place.get("file") == "":
            return None  # a form's field for a file in which nobody has put any
        types = self._rules.types
        mismatch = judge_type(types, self._content_type, self._beginning)
        self._beginning = b""
        return None if mismatch is None else _mismatched(mismatch, types, self._place)

    def _count(self, more: int) -> Unfit | None:
        self.size += more
        rules = self._rules
        if rules.max_file is not None and self.size > rules.max_file:
            return _too_large("max_file", rules.max_file, self._place)
        if rules.max_total is not None and self._total + self.size > rules.max_total:
            return _too_large("max_total", rules.max_total, self._place)
        return None


class FormCheck:
    """The files of a form."""

    __slots__ = ("_fields", "_file", "_name", "_reader", "_rules", "_total", "is_sure")

    def __init__(self, rules: UploadRules, boundary: str) -> None:
        self._rules = rules
        self._reader = MultipartReader(boundary)
        self._file: FileCheck | None = None
        self._name: str | None = None
        self._total = 0
        self._fields = 0
        self.is_sure = False

    def feed(self, piece: bytes) -> Unfit | None:
        """The next piece of the body."""
        try:
            for event in self._reader.feed(piece):
                wrong = self._see(event)
                if wrong is not None:
                    return wrong
        except Malformed as malformed:
            return _malformed(malformed, self._name)
        return None

    def finish(self) -> Unfit | None:
        """The body is over."""
        self.is_sure = True
        try:
            self._reader.finish()
        except Malformed as malformed:
            return _malformed(malformed, self._name)
        return None

    def _see(self, event: PartBegins | PartEnds | bytes) -> Unfit | None:
        if isinstance(event, bytes):
            if self._file is None:
                self._fields += len(event)
                return self._other()
            wrong = self._file.add(event)
            self.is_sure = self.is_sure or self._file.is_sure
            return wrong
        if isinstance(event, PartBegins):
            self._name = _short(event.name)
            if _is_file(event):
                place: Place = {"part": self._name, "file": _short(event.filename)}
                self._file = FileCheck(self._rules, event.content_type, place, total=self._total)
            return self._other()
        if (file := self._file) is not None:
            self._file = None
            self._total += file.size
            self.is_sure = True
            return file.judge()
        return None

    def _other(self) -> Unfit | None:
        if self._reader.other + self._fields <= MOST_OTHER:
            return None
        message = f"What is not a file is larger than {MOST_OTHER} bytes."
        return too_large(message, {"part": self._name, "expected": f"at most {MOST_OTHER} bytes"})


class BodyCheck:
    """A body that is one file itself."""

    __slots__ = ("_file",)

    def __init__(self, rules: UploadRules, content_type: str) -> None:
        self._file = FileCheck(rules, content_type, {"part": None, "file": None}, total=0)

    @property
    def is_sure(self) -> bool:
        return self._file.is_sure

    def feed(self, piece: bytes) -> Unfit | None:
        return self._file.add(piece)

    def finish(self) -> Unfit | None:
        return self._file.judge()


def declared_too_large(rules: UploadRules, length: int, *, is_form: bool) -> Unfit | None:
    """By the declared length alone, where it leaves no doubt."""
    limits = [limit for limit in (rules.max_total, None if is_form else rules.max_file) if limit is not None]
    if not limits or length <= min(limits) + (MOST_OTHER if is_form else 0):
        return None
    return _too_large("max_total" if is_form else "max_file", min(limits), {})


def _is_file(part: PartBegins) -> bool:
    """What a service may take for a file: by its name, or by a type that a field does not have."""
    if part.filename is not None:
        return True
    media_type = part.content_type.partition(";")[0].strip().lower()
    return not (media_type in ("", "text/plain") or is_json(media_type))


def _mismatched(mismatch: Mismatch, types: MediaTypes, place: Place) -> Unfit:
    told = "says of itself" if mismatch.is_declared else "is"
    message = f"A file is not of a type that is accepted here, by what it {told}."
    return file_type(message, {**place, "expected": list(types.listed), "found": mismatch.found})


def _too_large(limit: str, size: int, place: Place) -> Unfit:
    what = "A file is" if limit == "max_file" else "The files together are"
    message = f"{what} larger than {size} bytes."
    return too_large(message, {**place, limit: size, "expected": f"at most {size} bytes"})


def _malformed(malformed: Malformed, part: str | None) -> Unfit:
    message = f"The body is not multipart/form-data as it must be: {malformed}."
    return malformed_upload(
        message, {"part": part, "expected": "multipart/form-data", "found": str(malformed)}
    )


def _short(text: str | None) -> str | None:
    if text is None or len(text) <= LONGEST_NAME:
        return text
    return f"{text[: LONGEST_NAME - 1]}…"
