"""P: A kept request by two configurations: what would not be the same.

What was really seen counts more than what can be worked out: of a request that the live revision served, it is known
whether it was admitted. Where what is kept does not lead to what was seen, nothing is said of the request.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from observability.replay.destinations import where
from observability.replay.fates import Fate, doubts, fate_of
from observability.replay.quotas import Counting
from observability.replay.recorded import Recorded
from observability.replay.sides import Pair, same_key
from routing.explain import Located, locate_at
from routing.explanation import Refusal
from routing.knowledge import NOTHING, Knowledge
from routing.paths import BadPath, normalise
from routing.snapshot import BuiltinRoute, CompiledRoute, Miss

Kind = Literal["same", "elsewhere", "refused", "admitted", "refused_otherwise", "unknown"]
KINDS: Final[tuple[Kind, ...]] = ("same", "elsewhere", "refused", "admitted", "refused_otherwise", "unknown")
WORDS: Final[dict[Kind, str]] = {
    "same": "would be the same",
    "elsewhere": "would go elsewhere",
    "refused": "would be refused",
    "admitted": "would be admitted instead of refused",
    "refused_otherwise": "would be refused for another reason",
    "unknown": "cannot be judged",
}
LONG: Final = "all of its host and path"
CONTRADICTED: Final = (
    "something that its route went by: by what is kept, it would have been answered otherwise"
)
BODY: Final = "its body, which route {} looks at"
SIZE: Final = "the size of its body, which route {} limits"
_BY_BODY: Final = ("VALIDATION_ERROR", "UNSUPPORTED_MEDIA_TYPE", "PAYLOAD_TOO_LARGE")
_MALFORMED: Final = "INVALID_REQUEST"
"""By what a route requires, or because the body broke off."""
_BY_CONFIGURATION: Final = ("AUTH_ERROR", "FORBIDDEN", "NOT_FOUND", "METHOD_NOT_ALLOWED")
_WITH_BODY: Final = ("POST", "PUT", "PATCH")
_COUNTING: Final = {"concurrency": "limits on concurrency", "fault": "faults"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes, or that it is refused, for people and programs."""

    route: str = ""
    service: str = ""
    status: int = 0
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "route": self.route or None,
            "service": self.service or None,
            "status": self.status or None,
            "code": self.code or None,
        }

    def __str__(self) -> str:
        if self.code:
            return f"{self.status} {self.code}" + (f" by {self.route}" if self.route else "")
        return f"{self.route} → {self.service}" if self.service else self.route


@dataclass(frozen=True, slots=True)
class Judgement:
    """`because` says what differs, why it would be refused, or what was not kept; `detail` what of that is of this
    request alone."""

    kind: Kind
    before: Place = Place()
    after: Place = Place()
    because: str = ""
    detail: str = ""

    @property
    def label(self) -> str:
        """The kind, for people."""
        return self.kind.replace("_", " ")

    @property
    def words(self) -> str:
        """Why, whole."""
        return f"{self.because}: {self.detail}" if self.detail else self.because


SAME: Final = Judgement("same")


class Judging:
    """Judges one request after another. `unjudged` says what differs and is not judged, for how many of them;
    `counting` has those that would come so far as to be counted by quotas."""

    def __init__(self, pair: Pair, known: Knowledge = NOTHING) -> None:
        self._pair = pair
        self._known = known
        before, after = pair.before.snapshot, pair.after.snapshot
        self._is_one_index = before.index is after.index
        self._has_conditions = any(
            side.header_conditions or side.query_conditions for side in (pair.before, pair.after)
        )
        self.unjudged: Counter[str] = Counter()
        self.counting = Counting(after)

    def of(self, recorded: Recorded, at: datetime | None = None) -> Judgement:
        """What would not be the same of it. `at`: when it came, by which quotas count."""
        if recorded.is_cut:
            return Judgement("unknown", because=LONG)
        path = normalise(recorded.request.path)
        if isinstance(path, BadPath):
            return SAME  # a path is read without any configuration
        here = there = locate_at(self._pair.before.snapshot, recorded.request, path)
        if not self._is_one_index:
            there = locate_at(self._pair.after.snapshot, recorded.request, path)
        judged = self._judged(recorded, here, there)
        route = there.found
        if at is not None and isinstance(route, CompiledRoute) and route.quotas and there.preflight is None:
            code = recorded.code if judged.kind == "same" else judged.after.code
            if judged.kind != "unknown" and code not in _BY_CONFIGURATION:
                self.counting.add(recorded, at, route)
        return judged

    def _judged(self, recorded: Recorded, here: Located, there: Located) -> Judgement:
        doubtful = self._doubtful(recorded, here, there) if self._has_conditions else None
        if doubtful is not None:
            return doubtful
        if self._is_same(here, there):
            return SAME
        before = fate_of(recorded, here, self._pair.before, self._pair, self._known)
        after = fate_of(recorded, there, self._pair.after, self._pair, self._known)
        return self._compared(recorded, before, after)

    def _doubtful(self, recorded: Recorded, here: Located, there: Located) -> Judgement | None:
        """Whichever of the same routes takes it, nothing changes; else nobody can say."""
        mine = dict(doubts(recorded, here, self._pair.before))
        yours = dict(doubts(recorded, there, self._pair.after))
        if not mine and not yours:
            return None
        possible = {*mine, *_named(here)}
        if possible == {*yours, *_named(there)} and possible <= self._pair.unchanged:
            return SAME
        return Judgement("unknown", _place(here), _place(there), next(iter((yours or mine).values())))

    def _is_same(self, here: Located, there: Located) -> bool:
        match here.found, there.found:
            case CompiledRoute(name=mine), CompiledRoute(name=yours):
                return mine == yours and mine in self._pair.unchanged
            case BuiltinRoute() as mine, BuiltinRoute() as yours:
                return mine == yours
            case Miss() as mine, Miss() as yours:
                return bool(mine.allow) == bool(yours.allow)
        return False

    def _compared(self, recorded: Recorded, before: Fate, after: Fate) -> Judgement:
        is_seen = recorded.revision == self._pair.before.snapshot.revision
        if missing := self._missing(recorded, before, after, is_seen=is_seen):
            return Judgement("unknown", _told(before, None), _told(after, None), missing)
        self._note(before, after)
        refusal = _seen(recorded, before) if is_seen else before.refusal
        mine, yours = _told(before, refusal), _told(after, after.refusal)
        if refusal is not None and after.refusal is not None:
            if (refusal.status, refusal.code) == (after.refusal.status, after.refusal.code):
                return SAME
            return Judgement("refused_otherwise", mine, yours, self._why(before, after))
        if after.refusal is not None:
            return Judgement("refused", mine, yours, self._why(before, after))
        if refusal is not None and not self._is_still_refused(refusal, before, after):
            return Judgement("admitted", mine, yours, refusal.message)
        return self._moved(recorded, before, after)

    def _missing(self, recorded: Recorded, before: Fate, after: Fate, *, is_seen: bool) -> str:
        """What one would have to know; `is_seen`: how it was answered under what is live."""
        if is_seen and _contradicts(recorded, before):
            return CONTRADICTED
        if before.unknown and (not is_seen or recorded.code == _MALFORMED):
            return before.unknown
        if after.unknown or after.refusal is not None:
            return after.unknown
        return self._of_body(recorded, before, after)

    def _moved(self, recorded: Recorded, before: Fate, after: Fate) -> Judgement:
        found = where(recorded, before, after, self._pair)
        if found.unknown:
            return Judgement("unknown", _told(before, None), _told(after, None), found.unknown)
        if not found.differences:
            return SAME
        mine = Place(_name(before), found.before)
        yours = Place(_name(after), found.after)
        return Judgement("elsewhere", mine, yours, "; ".join(found.differences), found.detail)

    def _is_still_refused(self, refusal: Refusal, before: Fate, after: Fate) -> bool:
        """By its body, of which the same is asked as before."""
        here, there = before.route, after.route
        if here is None or there is None or refusal is before.refusal or refusal.code not in _BY_BODY:
            return False
        return same_key("validate", here, there, self._pair) and here.max_body == there.max_body

    def _of_body(self, recorded: Recorded, before: Fate, after: Fate) -> str:
        """What would have to be known of a body, where a route asks something else of it than before."""
        here, there = before.route, after.route
        if there is None:
            return ""
        validation = there.shapes.validation
        is_new = here is None or not same_key("validate", here, there, self._pair)
        if is_new and validation is not None and validation.is_enforced:
            return BODY.format(there.name)
        limit = None if here is None else here.max_body
        is_less = there.max_body is not None and (limit is None or there.max_body < limit)
        has_length = b"content-length" in recorded.names
        if is_less and recorded.request.method in _WITH_BODY and not has_length:
            return SIZE.format(there.name)
        was_refused = recorded.code in _BY_BODY and before.refusal is None
        if was_refused and not (is_new and validation is None) and (is_new or limit != there.max_body):
            return BODY.format(there.name)
        return ""

    def _note(self, before: Fate, after: Fate) -> None:
        here, there = before.route, after.route
        if here is None or there is None:
            return
        for name, words in _COUNTING.items():
            if getattr(here, name) != getattr(there, name):
                self.unjudged[
                    f"{words} of route {there.name}: whom they refuse depends on other requests"
                ] += 1

    def _why(self, before: Fate, after: Fate) -> str:
        refusal = after.refusal
        assert refusal is not None  # the caller's condition
        words = refusal.message if not after.because else f"{refusal.message} ({after.because})"
        if after.route is None and before.route is not None:
            snapshot, name = self._pair.after.snapshot, before.route.name
            if name in snapshot.disabled:
                return f"{words} Route {name} is disabled."
            if name not in snapshot.routes:
                return f"{words} Route {name} is gone."
        return words


def _contradicts(recorded: Recorded, before: Fate) -> bool:
    """Whether what is kept does not lead to what was seen."""
    name = "" if before.route is None else before.route.name
    was_located = recorded.route or recorded.code not in (
        "INVALID_REQUEST",
        "NOT_FOUND",
        "METHOD_NOT_ALLOWED",
    )
    if was_located and recorded.route != name:
        return True
    if before.unknown:
        return False
    if before.builtin:
        return False  # what an endpoint of the gateway itself answers is its own
    if before.refusal is None:
        return recorded.code in _BY_CONFIGURATION
    return recorded.code != before.refusal.code


def _seen(recorded: Recorded, before: Fate) -> Refusal | None:
    """The refusal by what is configured that was seen; what depends on other requests, and on services, is none."""
    if before.refusal is not None and not before.unknown:
        return before.refusal
    if recorded.code in (*_BY_CONFIGURATION, *_BY_BODY):
        return Refusal(recorded.status, recorded.code, "It was refused.")
    return None


def _named(located: Located) -> tuple[str, ...]:
    return (located.found.name,) if isinstance(located.found, CompiledRoute) else ()


def _place(located: Located) -> Place:
    return Place("" if isinstance(located.found, Miss) else located.found.name)


def _name(fate: Fate) -> str:
    return fate.builtin if fate.route is None else fate.route.name


def _told(fate: Fate, refusal: Refusal | None) -> Place:
    if refusal is None:
        return Place(_name(fate), fate.service)
    return Place(_name(fate), fate.service, refusal.status, refusal.code)
