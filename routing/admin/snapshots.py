"""D: Compiled configurations for pages that explain and warn: the live one and the draft, kept until they change.

Compiling starts from the one before, so that after an edit only what changed costs time.
"""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.conf import settings
from django.db import models
from django.db.models import Count, Max, Sum

from routing.compiler import CompileOptions, compile_snapshot
from routing.loader import MODELS, read_rows
from routing.models import Revision, RouteDefaults
from routing.options import compile_options
from routing.reserved import reserved_routes
from routing.shadows import Shadow, find_shadows
from routing.snapshot import Snapshot

Key = tuple[Any, ...]
_LOCK: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Kept:
    """A compiled configuration and the routes in it that are never reached."""

    key: Key
    snapshot: Snapshot
    shadows: Mapping[str, Shadow]


_kept: dict[str, Kept] = {}


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
    return _get("draft", _rows_key(), read_rows, revision=0)


def options() -> CompileOptions:
    """As the data plane compiles, without what only it needs."""
    return compile_options(settings.CONFIG, os.environ)


def _get(which: str, key: Key, read: Callable[[], Mapping[str, Any]], *, revision: int) -> Kept:
    with _LOCK:
        kept = _kept.get(which)
        if kept is not None and kept.key == key:
            return kept
        before = kept or next(iter(_kept.values()), None)
        previous = before.snapshot if before else None
        snapshot = compile_snapshot(
            read(), revision=revision, options=options(), previous=previous, digest=""
        )
        found = find_shadows(snapshot.routes.values(), reserved_routes(settings.CONFIG.api_prefix))
        kept = Kept(key, snapshot, {shadow.route: shadow for shadow in found})
        _kept[which] = kept
        return kept


def _rows_key() -> Key:
    """Changes whenever a row does: versions only grow."""
    tables: list[type[models.Model]] = [*MODELS.values(), RouteDefaults]
    sums = {"count": Count("pk"), "versions": Sum("version"), "newest": Max("pk"), "at": Max("updated_at")}
    return tuple(tuple(sorted(model._default_manager.aggregate(**sums).items())) for model in tables)
