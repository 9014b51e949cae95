"""D: Replays kept requests: rows in pieces, judged in short turns, so that this process serves others meanwhile.

One at a time in a process, for so many requests and so long at most. The last few results are kept: a page of the list,
or the same list with a filter, costs nothing more.
"""

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import orjson
from django.conf import settings
from django.db.models import ExpressionWrapper, F, QuerySet, TextField

from observability.models import KeptRequest
from observability.replay.judging import Judging, Kind
from observability.replay.recorded import FIELDS, recorded_of
from observability.replay.results import Found, Item
from observability.replay.sides import pair_of
from routing.explaining import DRAFT, LIVE, Which, configuration
from routing.knowing import knowledge
from routing.knowledge import NOTHING, Discovered, Knowledge
from routing.quiet import collections_paused
from routing.snapshot import CompiledService, Snapshot

MOST: Final = 10_000
USUAL_S: Final = 3600.0
BUDGET_S: Final = 10.0
TURN_S: Final = 0.002
PAUSE_S: Final = 0.0005
WAIT_S: Final = 10.0
_PIECE: Final = 500
_KEPT: Final = 4

_TEXT: Final = ExpressionWrapper(F("facts"), output_field=TextField())
"""The column as it is kept: not every field of it is read."""

_lock: Final = threading.Lock()
_kept: deque["_Kept"] = deque(maxlen=_KEPT)


class Busy(Exception):  # noqa: N818 - a refusal, told in one sentence
    """Somebody else's replay takes long; str(error) says so."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which requests: the newest `most` since then; or exactly the rows from `first` to `last`."""

    since: datetime | None = None
    most: int = MOST
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    """A result, and what it is the result of."""

    before: Snapshot
    after: Snapshot
    rows: tuple[int, int]
    found: Found

    def answers(self, before: Snapshot, after: Snapshot, rows: tuple[int, int]) -> bool:
        is_same = after is self.after or (after.revision > 0 and after.revision == self.after.revision)
        return self.rows == rows and before.revision == self.before.revision and is_same


def replay(
    against: Which,
    span: Span,
    *,
    budget_s: float = BUDGET_S,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Found:
    """The kept requests of `span`, by what is live and by the draft or a revision. Nothing is sent.

    Raises NoRevision, ConfigurationInvalid and Busy.
    """
    if not _lock.acquire(timeout=WAIT_S):
        raise Busy("Another replay is running: try again in a few seconds.")
    try:
        before, after = configuration(LIVE), configuration(against)
        keys = list(_wanted(span).values_list("pk", flat=True)[: min(MOST, span.most)])
        shown = DRAFT if against == DRAFT else after.revision
        if not keys:
            return Found(shown, before.revision, 0, 0)
        rows = (keys[-1], keys[0])
        for kept in _kept:
            if kept.answers(before, after, rows) and kept.found.wanted == len(keys):
                return kept.found
        turns = _Turns(clock, pause, clock() + budget_s)
        found = replace(_replayed(before, after, _rows(span, keys), keys, turns), against=shown)
        if found.is_complete:
            _kept.append(_Kept(before, after, rows, found))
        return found
    finally:
        _lock.release()


@dataclass(slots=True)
class _Turns:
    """Lets others come between."""

    clock: Callable[[], float]
    pause: Callable[[float], None]
    ends_at: float
    turn_ends_at: float = 0.0

    def is_over(self) -> bool:
        """Asked after each request."""
        now = self.clock()
        if now >= self.turn_ends_at:
            self.pause(PAUSE_S)
            self.turn_ends_at = self.clock() + TURN_S
        return now >= self.ends_at


@collections_paused()
def _replayed(
    before: Snapshot, after: Snapshot, rows: Iterable[Mapping[str, Any]], keys: Sequence[int], turns: _Turns
) -> Found:
    config = settings.CONFIG
    pair = pair_of(before, after, is_on=config.enable_authentication, realm=config.service_name)
    judging = Judging(pair, _known())
    counts: Counter[Kind] = Counter()
    items: list[Item] = []
    moments: list[datetime] = []
    is_over = False
    for row in rows:
        judged = judging.of(recorded_of(row), row["at"])
        counts[judged.kind] += 1
        moments = [moments[0] if moments else row["at"], row["at"]]
        if judged.kind != "same":
            items.append(_item(row, judged))
        if is_over := turns.is_over():
            break
    return Found(
        against=DRAFT,
        live=before.revision,
        replayed=counts.total(),
        wanted=len(keys),
        is_complete=not is_over or counts.total() == len(keys),
        first=keys[-1],
        last=keys[0],
        since=moments[-1] if moments else None,
        until=moments[0] if moments else None,
        counts=counts,
        items=items,
        unjudged=judging.unjudged,
        quotas=judging.counting.refusals(),
    )


def _item(row: Mapping[str, Any], judged: Any) -> Item:
    url = f"{row['path']}?{row['query']}" if row["query"] else row["path"]
    return Item(
        row["pk"], row["at"], row["request_id"], row["method"], row["host"], url, row["revision"], judged
    )


def _wanted(span: Span) -> "QuerySet[KeptRequest]":
    """The newest first."""
    rows: QuerySet[KeptRequest] = KeptRequest.objects.order_by("-pk")
    if span.last:
        return rows.filter(pk__gte=span.first, pk__lte=span.last)
    return rows if span.since is None else rows.filter(at__gte=span.since)


def _rows(span: Span, keys: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Those that are still there. Asked for from one number to another: a list of numbers costs more than the rows."""
    for at in range(0, len(keys), _PIECE):
        piece = keys[at : at + _PIECE]
        there, known = _wanted(span).filter(pk__gte=piece[-1], pk__lte=piece[0]), set(piece)
        for values in there.values_list(*(_TEXT if name == "facts" else name for name in FIELDS)):
            row = dict(zip(FIELDS, values, strict=True))
            if row["pk"] in known:  # others were written since
                row["facts"] = _read(row["facts"])
                yield row


def _read(text: str) -> Any:
    """What a column of JSON says, read several times as fast as the column's field does."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # half of a surrogate pair, which SQLite keeps
        return json.loads(text)


def _known() -> Knowledge:
    """Of a running gateway, what configurations leave open: which targets registered themselves, how canaries stand.

    Breakers, health and counts are those of now, not of then.
    """
    known = knowledge()
    discovered: dict[str, Sequence[Discovered]] = {}

    def found(service: CompiledService) -> Sequence[Discovered]:
        if service.name not in discovered:
            discovered[service.name] = known.discovered(service)
        return discovered[service.name]

    return replace(NOTHING, now=known.now, discovered=found, canary=lru_cache(maxsize=None)(known.canary))
