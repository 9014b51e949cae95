"""P: What a replay found: how many of which kind, what is most frequent, and the list, for people and programs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from observability.replay.judging import KINDS, WORDS, Judgement, Kind
from observability.replay.quotas import NOTHING_COUNTED, Refusals

MOST_GROUPS: Final = 50
MOST_UNJUDGED: Final = 20
_LONGEST_URL: Final = 200


@dataclass(frozen=True, slots=True)
class Item:
    """A request that would not be the same, or of which nobody can say."""

    key: int
    at: datetime
    request_id: str
    method: str
    host: str
    url: str
    revision: int
    judgement: Judgement

    @property
    def common(self) -> Judgement:
        """What is to be said of others as well."""
        return replace(self.judgement, detail="") if self.judgement.detail else self.judgement

    def as_json(self) -> dict[str, Any]:
        judged = self.judgement
        return {
            "id": self.key,
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "request_id": self.request_id,
            "method": self.method,
            "host": self.host,
            "url": self.url,
            "revision": self.revision,
            "kind": judged.kind,
            "before": judged.before.as_json(),
            "after": judged.after.as_json(),
            "because": judged.words,
        }

    def line(self) -> str:
        """One line of a terminal."""
        return f"  {self.method} {self.host}{self.url[:_LONGEST_URL]}  {self.request_id}"


@dataclass(frozen=True, slots=True)
class Group:
    """Requests of which the same is to be said; `example` is the newest."""

    count: int
    example: Item

    @property
    def told(self) -> str:
        """What is said of them."""
        return told(self.example.judgement)

    def as_json(self) -> dict[str, Any]:
        shown = self.example.as_json()
        said = {name: shown[name] for name in ("kind", "before", "after")}
        because = self.example.judgement.because
        return {"count": self.count, **said, "because": because, "example": self.example.key}


@dataclass(frozen=True, slots=True)
class Found:
    """`against` is "draft" or a revision; `live` the revision that it is compared with. `first` and `last` are the
    rows' numbers, the oldest and the newest. `is_complete` False: the time was over before all were judged."""

    against: str | int
    live: int
    replayed: int
    wanted: int
    is_complete: bool = True
    first: int = 0
    last: int = 0
    since: datetime | None = None
    until: datetime | None = None
    counts: Mapping[Kind, int] = field(default_factory=dict)
    items: Sequence[Item] = ()
    unjudged: Mapping[str, int] = field(default_factory=dict)
    quotas: Refusals = NOTHING_COUNTED

    @property
    def differing(self) -> int:
        """How many would certainly not be the same."""
        return sum(count for kind, count in self.counts.items() if kind not in ("same", "unknown"))

    def of(self, kind: str) -> Sequence[Item]:
        """Those of one kind; of all kinds for an empty word."""
        return [item for item in self.items if item.judgement.kind == kind] if kind else self.items

    def groups(self, kind: str = "") -> list[Group]:
        """The most frequent ones first."""
        items = self.of(kind)
        counts = Counter(item.common for item in items)
        newest = {item.common: item for item in reversed(items)}
        return [Group(count, newest[judged]) for judged, count in counts.most_common(MOST_GROUPS)]

    def as_json(self) -> dict[str, Any]:
        """All but the list."""
        return {
            "against": self.against,
            "live": self.live,
            "replayed": self.replayed,
            "complete": self.is_complete,
            "since": self.since.isoformat().replace("+00:00", "Z") if self.since else None,
            "until": self.until.isoformat().replace("+00:00", "Z") if self.until else None,
            "quotas": self.quotas.as_json(),
            "counts": {kind: self.counts.get(kind, 0) for kind in KINDS},
            "not_judged": [
                {"what": what, "requests": count}
                for what, count in sorted(self.unjudged.items(), key=lambda each: -each[1])[:MOST_UNJUDGED]
            ],
        }

    def summary(self) -> Iterator[str]:
        """Sentences, the numbers first."""
        against = "the draft" if self.against == "draft" else f"revision {self.against}"
        if not self.replayed:
            yield f"No kept request to replay against {against}."
            return
        parts = [f"{self.counts[kind]} {WORDS[kind]}" for kind in KINDS[1:] if self.counts.get(kind)]
        said = ", ".join(parts) or "all would be the same"
        yield f"Of {self.replayed} kept requests, by {against} instead of revision {self.live}: {said}."
        if not self.is_complete:
            yield f"The time was over after {self.replayed} of {self.wanted}."
        if sentence := self.quotas.sentence():
            yield sentence
        for what, count in sorted(self.unjudged.items(), key=lambda each: -each[1])[:MOST_UNJUDGED]:
            yield f"Not judged, for {count}: {what}."


def told(judged: Judgement) -> str:
    """What is to be said of one request, in words."""
    if judged.kind == "unknown":
        return f"cannot be judged: not kept is {judged.because}"
    way = f"{judged.before} ⇒ {judged.after}: {judged.because}"
    return way if judged.kind == "elsewhere" else f"{judged.label}: {way}"
