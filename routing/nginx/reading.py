"""I: nginx's configuration, read by crossplane: a tree of directives with their places, includes filled in.

Includes are followed below the file's own folder only. https://nginx.org/en/docs/dirindex.html has the directives.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from routing.foreign import Notes, NotReadable
from routing.nginx.directives import Directive

LARGEST: Final = 4 * 1024 * 1024
MOST_FILES: Final = 200
_DEEPEST: Final = 10


def read(file: Path, notes: Notes) -> Directive:
    """The block `http`, or the whole file where it is what stands inside. Raises NotReadable."""
    try:
        import crossplane
    except ImportError as error:
        raise NotReadable(
            "reading nginx's configuration needs the package crossplane (extra nginx)"
        ) from error
    reader = _Reader(crossplane, file.parent.resolve(), notes)
    whole = Directive("http", (), file.name, reader.blocks(file, 0))
    return next(whole.all("http"), whole)


class _Reader:
    def __init__(self, crossplane: Any, root: Path, notes: Notes) -> None:
        self._crossplane = crossplane
        self._root = root
        self._notes = notes
        self._files = 0

    def blocks(self, file: Path, depth: int) -> tuple[Directive, ...]:
        self._files += 1
        if self._files > MOST_FILES:
            raise NotReadable(f"{file.name}: more than {MOST_FILES} files are included")
        try:
            if file.stat().st_size > LARGEST:
                raise NotReadable(f"{file.name}: it is larger than {LARGEST >> 20} MB")
            parsed = self._crossplane.parse(
                str(file), single=True, catch_errors=False, check_ctx=False, check_args=False
            )
        except self._crossplane.errors.NgxParserBaseException as error:
            raise NotReadable(f"{file.name}:{error.lineno}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise NotReadable(f"{file.name}: it is not UTF-8") from error
        except OSError as error:
            raise NotReadable(f"{file.name}: {error.strerror or error}") from error
        except RecursionError as error:
            raise NotReadable(f"{file.name}: blocks are nested too deeply") from error
        for each in parsed["errors"]:
            message = str(each["error"]).replace(f" in {file}:{each['line']}", "")
            raise NotReadable(f"{file.name}:{each['line']}: {message}")
        return self._tree(parsed["config"][0]["parsed"], file, depth)

    def _tree(self, raw: list[dict[str, Any]], file: Path, depth: int) -> tuple[Directive, ...]:
        found: list[Directive] = []
        for each in raw:
            place = f"{file.name}:{each['line']}"
            if each["directive"] == "include":
                found += self._included(each["args"][0] if each["args"] else "", place, depth)
            else:
                block = self._tree(each.get("block") or [], file, depth)
                found.append(Directive(each["directive"], tuple(each["args"]), place, block))
        return tuple(found)

    def _included(self, pattern: str, place: str, depth: int) -> list[Directive]:
        if pattern.endswith("mime.types"):
            return []
        pattern = pattern.removeprefix(f"{self._root}/")
        if depth >= _DEEPEST or not pattern or pattern.startswith("/") or ".." in Path(pattern).parts:
            self._notes.add(place, f"include {pattern}: only files below the file's own folder are read")
            return []
        files = [
            each for each in sorted(self._root.glob(pattern)) if each.resolve().is_relative_to(self._root)
        ]
        if not files:
            self._notes.add(place, f"include {pattern}: there is no such file")
        return [each for file in files for each in self.blocks(file, depth + 1)]
