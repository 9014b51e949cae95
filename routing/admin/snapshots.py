"""D: Compiled configurations for pages that explain and warn: the live one and the draft, kept until they change.

Compiling starts from the one before, or from what this process serves, so that only what changed costs time.
"""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import orjson
from django.conf import settings

from routing.compiler import CompileOptions, compile_snapshot
from routing.exactly import surely_equal
from routing.models import Revision
from routing.options import compile_options
from routing.quiet import collections_paused
from routing.rereading import Rereading
from routing.reserved import reserved_routes
from routing.rowskey import rows_key
from routing.served import served
from routing.shadows import Shadow, are_matched_alike, find_shadows
from routing.snapshot import Snapshot

Key = tuple[Any, ...]
_LOCK: Final = threading.Lock()


@dataclass(frozen=True)
class Kept:
    """A compiled configuration."""

    key: Key
    snapshot: Snapshot

    @cached_property
    def shadows(self) -> Mapping[str, Shadow]:
        """The routes in it that are never reached; found when somebody asks."""
        with collections_paused():
            found = find_shadows(self.snapshot.routes.values(), reserved_routes(settings.CONFIG.api_prefix))
        return {shadow.route: shadow for shadow in found}

    def take_over(self, before: "Kept") -> None:
        """What was found of a configuration that matches requests as this one does."""
        if "shadows" in vars(before) and are_matched_alike(before.snapshot.routes, self.snapshot.routes):
            vars(self)["shadows"] = before.shadows


_kept: dict[str, Kept] = {}
_rows: Final = Rereading()


def live() -> Kept | None:
    """What data planes run; None before the first revision. Raises ConfigurationInvalid."""
    newest = Revision.objects.order_by("-number").values_list("number", "digest").first()
    if newest is None:
        return None

    def read() -> Mapping[str, Any]:
        document = Revision.objects.values_list("document", flat=True).get(number=newest[0])
        found: Mapping[str, Any] = orjson.loads(document)
        return found

    return _get("live", newest, read, revision=newest[0])


def draft() -> Kept:
    """What the rows say. Raises ConfigurationInvalid."""
    return _get("draft", (rows_key(),), _rows.read, revision=0)


def options() -> CompileOptions:
    """As the data plane compiles, without what only it needs."""
    return compile_options(settings.CONFIG, os.environ)


def _get(which: str, key: Key, read: Callable[[], Mapping[str, Any]], *, revision: int) -> Kept:
    with _LOCK:
        kept = _kept.get(which)
        if kept is None or kept.key != key:
            before, kept = kept, Kept(key, _compiled(kept, key, read, revision))
            if before is not None:
                kept.take_over(before)
            _kept[which] = kept
        return kept


def _compiled(
    before: Kept | None, key: Key, read: Callable[[], Mapping[str, Any]], revision: int
) -> Snapshot:
    ours = options()
    serves = served(ours)
    if serves is not None and revision and (serves.revision, serves.digest) == key:
        return serves
    with collections_paused():
        published = None if revision else _Published.newest(serves)
        if published is not None and published.has_rows(key):
            return published.as_draft()
        raw = read()
        if published is not None and published.says(raw):
            return published.as_draft()
        before = before or (next(iter(_kept.values()), None) if serves is None else None)
        previous = serves if before is None else before.snapshot
        return compile_snapshot(raw, revision=revision, options=ours, previous=previous, digest="")


@dataclass(frozen=True, slots=True)
class _Published:
    """What is live, where it is compiled already. Most often the rows say the same, as nothing is pending."""

    number: int
    rows_key: str
    snapshot: Snapshot

    @classmethod
    def newest(cls, serves: Snapshot | None) -> "_Published | None":
        known = {kept.key: kept.snapshot for name, kept in _kept.items() if name == "live"}
        if serves is not None:
            known[serves.revision, serves.digest] = serves
        found = Revision.objects.order_by("-number").values_list("number", "digest", "rows_key").first()
        if found is None or found[:2] not in known:
            return None
        return cls(found[0], found[2], known[found[:2]])

    def has_rows(self, key: Key) -> bool:
        """Whether no row was changed since."""
        return key == (self.rows_key,)

    def says(self, rows: Mapping[str, Any]) -> bool:
        text = Revision.objects.values_list("document", flat=True).get(number=self.number)
        return surely_equal(orjson.loads(text), rows)

    def as_draft(self) -> Snapshot:
        return replace(self.snapshot, revision=0, digest="")
