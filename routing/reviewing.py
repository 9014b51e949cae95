"""D: What reviewers do with the draft beside publishing it: comment, reject, and see what went live meanwhile."""

from dataclasses import dataclass
from typing import Final

import orjson
from django.db.models import QuerySet

from routing.diff import Changes, apart, diff
from routing.document.canonical import canonicalise
from routing.drafts import Actor, draft_base, live_number, live_revision
from routing.edits import Document, Edit, edits_between, overlapping
from routing.loader import read_rows
from routing.locking import writing
from routing.models import DraftComment, Revision
from routing.publishing import (
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
        tell(PublishedEvent("comment", actor, source, made.text, None, Changes()))
        return made


def reject(reason: str, *, actor: Actor, source: str = "api", discards: bool = False) -> Outcome | None:
    """Nobody else may publish the draft until it is changed; with `discards` it is thrown away.

    Raises PublishRefused.
    """
    with writing():
        made = _say(reason, actor, is_rejection=True)
        tell(PublishedEvent("reject", actor, source, made.text, None, Changes()))
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
def meanwhile() -> Meanwhile | None:
    """None where what is live is still what the draft was begun on."""
    number = draft_base()
    if number is None or number == live_number():
        return None
    base, live = Revision.objects.filter(number=number).first(), live_revision()
    if base is None or live is None:
        return None
    before, now = orjson.loads(base.document), orjson.loads(live.document)
    mine, theirs = _edits(now, read_rows()), _edits(before, now)
    clashes = tuple(each.place for each in overlapping(mine, theirs))
    return Meanwhile(base.number, live.number, diff(before, now), clashes)


def _edits(old: Document, new: Document) -> tuple[Edit, ...]:
    """Of documents as they are written."""
    return edits_between(*map(canonicalise, apart(old, new)))


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
