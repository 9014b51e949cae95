"""D: What reviewers do with the draft beside publishing it: comment, reject, and see what went live meanwhile."""

from dataclasses import dataclass
from typing import Final

import orjson
from django.db.models import QuerySet

from routing.diff import Changes, diff
from routing.document.canonical import canonicalise
from routing.document.schema import KINDS
from routing.drafts import Actor, draft_base
from routing.edits import Document, edits_between, overlapping
from routing.locking import writing
from routing.models import DraftComment, Revision
from routing.publishing import (
    Draft,
    Outcome,
    PublishedEvent,
    PublishRefused,
    discard,
    draft_changes,
    tell,
)
from routing.quiet import collections_paused
from routing.rows.changes import TEXT_LENGTH

MOST_COMMENTS: Final = 500


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What went live since the draft was begun, and which of it the draft would change back or otherwise."""

    base: int
    live: int
    changes: Changes
    conflicts: tuple[str, ...]


def comment(text: str, *, actor: Actor, source: str = "api") -> DraftComment:
    """Says something about the draft. Raises PublishRefused."""
    with writing():
        made = _say(text, actor, is_rejection=False)
        tell(PublishedEvent("comment", actor, source, made.text, None, Changes(), "comment: the draft"))
        return made


def reject(reason: str, *, actor: Actor, source: str = "api", discards: bool = False) -> Outcome | None:
    """Nobody else may publish the draft until it is changed; with `discards` it is thrown away.

    Raises PublishRefused.
    """
    with writing():
        made = _say(reason, actor, is_rejection=True)
        tell(PublishedEvent("reject", actor, source, made.text, None, Changes(), "reject: the draft"))
        return discard(actor=actor, source=source) if discards else None


def open_comments() -> list[DraftComment]:
    """Of the draft that there is, oldest first; the first MOST_COMMENTS."""
    return list(all_open_comments()[:MOST_COMMENTS])


def all_open_comments() -> QuerySet[DraftComment]:
    """The same, however many there are."""
    return DraftComment.objects.filter(is_open=True)


def comments_of(revision: int) -> list[DraftComment]:
    """What was said before a revision was published."""
    return list(DraftComment.objects.filter(revision=revision)[:MOST_COMMENTS])


@collections_paused()
def meanwhile(draft: Draft, *, detailed: int | None = None) -> Meanwhile | None:
    """None where what is live is still what the draft was begun on. `detailed` is that of `diff`."""
    number = draft_base()
    if number is None or number == draft.live_number:
        return None
    base = Revision.objects.filter(number=number).first()
    if base is None or not draft.live_number:
        return None
    before, now = orjson.loads(base.document), draft.live
    places = {(entry.kind, entry.name) for entry in draft.changes.entries}
    then, live, rows = (canonicalise(_only(each, places)) for each in (before, now, draft.rows))
    mine, theirs = edits_between(live, rows), edits_between(then, live)
    clashes = tuple(each.place for each in overlapping(mine, theirs))
    return Meanwhile(number, draft.live_number, diff(before, now, detailed=detailed), clashes)


def _only(document: Document, places: set[tuple[str, str]]) -> Document:
    """Some entries of a document, and the defaults, by which routes mean what they mean."""
    return {
        kind: [each for each in part if (kind, each["name"]) in places] if kind in KINDS else part
        for kind, part in document.items()
    }


def _say(text: str, actor: Actor, *, is_rejection: bool) -> DraftComment:
    said = text.strip()
    if not said:
        raise PublishRefused(
            "a rejection needs a reason" if is_rejection else "there is nothing in the comment"
        )
    if len(said) > TEXT_LENGTH:
        raise PublishRefused(f"at most {TEXT_LENGTH} characters")
    if not draft_changes():
        raise PublishRefused("there is no draft to speak of")
    if DraftComment.objects.filter(is_open=True).count() >= MOST_COMMENTS:
        raise PublishRefused(f"there are {MOST_COMMENTS} comments already")
    return DraftComment.objects.create(
        author=actor.name[:200], user_id=actor.user_id, text=said, is_rejection=is_rejection
    )
