"""D: The one way in which configuration changes, whoever asks: validate, write, number, tell.

Rows and revision are written in one transaction that no other writer runs beside. Every function either does
the whole of what it says or raises (ConfigurationInvalid, PublishRefused, EditConflict, StoreUnavailable) and
leaves everything as it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import orjson
from django.conf import settings

from routing.checking import EMPTY, Document, validated
from routing.diff import Changes, diff
from routing.document.canonical import canonicalise, digest
from routing.drafts import (
    Actor,
    forget_pending,
    is_author,
    join_pending,
    live_number,
    live_revision,
    pending_authors,
    pending_edits,
    record_pending,
    standing_rejection,
)
from routing.edits import Carried, Edit, carry_out
from routing.exactly import surely_equal
from routing.groups import make_groups
from routing.loader import read_rows, write_rows
from routing.locking import clear_errors, hold_lock, writing
from routing.merging import Merge, laid_over, merge, patch
from routing.models import EditConflict, Revision
from routing.notify import announce
from routing.problems import ConfigurationInvalid, Problem
from routing.quiet import collections_paused
from routing.rowskey import rows_key

DETAILED_ENTRIES: Final = 200


class PublishRefused(Exception):  # noqa: N818 - named as people say it
    """Not allowed now; str(error) says why and what would help."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call did. `revision` is the live revision afterwards (None: there is none yet)."""

    kind: Literal["unchanged", "published", "drafted", "previewed", "discarded"]
    changes: Changes
    revision: int | None = None
    pruned: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """What the audit port is told, inside the transaction."""

    action: str
    actor: Actor
    source: str
    message: str
    revision: int | None
    changes: Changes
    summary: str = ""
    """What was done, in words, where that is no change of the configuration."""


Become = Callable[[Document], Merge]
"""From the configuration as it is (canonical) to the one that is wanted, which is checked afterwards."""
Judge = Callable[[Document, Document, Changes], None]
"""Is shown what was, what would be and what differs, inside the transaction; if it raises, nothing is changed."""
_audit: list[Callable[[PublishedEvent], None]] = []


def bind_audit(port: Callable[[PublishedEvent], None]) -> None:
    """Adds a port that is called inside each transaction; if it raises, nothing is changed.

    Who is bound later is called earlier: the audit trail, bound first by the topmost layer, takes its lock last.
    """
    _audit.insert(0, port)


def under_review() -> bool:
    """Whether saves stay drafts until somebody else publishes them (PUBLISH=review)."""
    return bool(settings.CONFIG.publish == "review")


@collections_paused()
def apply_document(
    raw: Any,
    *,
    actor: Actor,
    message: str = "",
    source: str = "api",
    prune: bool = False,
    draft: bool = False,
    dry_run: bool = False,
    expected_revision: int | None = None,
    judge: Judge | None = None,
    managed_by: str = "",
    take_over: bool = False,
) -> Outcome:
    """Makes the rows match a document and publishes them, unless they are to stay a draft.

    `managed_by`: whose document it is; see `merge_managed`.
    """

    def edit(current: Document) -> Merge:
        _expect(expected_revision)
        return laid_over(current, raw, prune=prune, managed_by=managed_by, take_over=take_over)

    return apply_edit(
        edit, actor=actor, message=message, source=source, draft=draft, dry_run=dry_run, judge=judge
    )


@collections_paused()
def apply_edit(
    edit: Become,
    *,
    actor: Actor,
    message: str = "",
    source: str = "api",
    draft: bool = False,
    dry_run: bool = False,
    judge: Judge | None = None,
) -> Outcome:
    """Makes the rows what `edit` makes of them and publishes them, unless they are to stay a draft.

    Both functions may raise whatever they like: then nothing has happened.
    """
    if dry_run:
        with clear_errors():
            return _edited(edit, judge)[2]
    with writing():
        before, target, preview = _edited(edit, judge)
        if preview.changes:
            write_rows(before, target)
        if draft or under_review():
            return _leave_draft(target, preview, actor, message, source)
        if preview.changes:
            join_pending(actor, source=source, message=message)
        outcome = _publish(target, actor, message, source)
        return replace(outcome, pruned=preview.pruned, warnings=preview.warnings)


@collections_paused()
def publish(
    *, actor: Actor, message: str = "", source: str = "api", expected_draft: str | None = None
) -> Outcome:
    """Makes the draft live. Under review, whoever has a hand in the draft is refused.

    `expected_draft` is the digest of what was looked at: what somebody changed since then is not published unseen.
    """
    with writing():
        rows = read_rows()
        if expected_draft is not None and expected_draft != draft_digest(rows):
            raise EditConflict("the draft was changed since you looked at it: look at it again")
        if under_review() and is_author(actor):
            raise PublishRefused(
                f'"{actor.name}" has a hand in this draft: under PUBLISH=review somebody else must publish it'
            )
        if (rejection := standing_rejection()) is not None and rejection.author != actor.name:
            raise PublishRefused(
                f'"{rejection.author}" has rejected this draft: {rejection.text}. It must be changed first'
            )
        target, _warnings = validated(rows)
        return _publish(target, actor, message, source)


@collections_paused()
def publish_rows_after_edit(*, actor: Actor, message: str = "", source: str = "admin") -> Outcome:
    """After rows were saved one by one: publishes them, or notes the draft. The caller's transaction is used."""
    with clear_errors():
        hold_lock()
        target, warnings = validated(read_rows())
        if under_review():
            changes = _compare(_live_document(target), target)
            preview = Outcome("previewed", changes, live_number(), warnings=warnings)
            return _leave_draft(target, preview, actor, message, source)
        join_pending(actor, source=source, message=message)
        return replace(_publish(target, actor, message, source), warnings=warnings)


@collections_paused()
def discard(*, actor: Actor, source: str = "api") -> Outcome:
    """Throws the draft away: rows become what is live."""
    with writing():
        before = _current()
        live = _live_document(before)
        changes = _compare(before, live)
        revision = live_number()
        forget_pending()
        if not changes:
            return Outcome("unchanged", changes, revision)
        write_rows(before, live)
        _tell(PublishedEvent("discard", actor, source, "", revision, changes))
        return Outcome("discarded", changes, revision)


@collections_paused()
def rollback(number: int, *, actor: Actor, message: str = "", source: str = "api") -> Outcome:
    """Publishes the configuration of an earlier revision as a new one; refused while a draft is pending.

    Under review, too, it is live at once: what it brings back was live before, and it is the way out of an outage.
    """
    with writing():
        old = Revision.objects.filter(number=number).first()
        if old is None:
            raise PublishRefused(f"there is no revision {number}")
        before = _current()
        if _compare(_live_document(before), before):
            authors = ", ".join(pending_authors()) or "somebody"
            raise PublishRefused(f"there is a draft by {authors}: publish or discard it first")
        target, _warnings = validated(orjson.loads(old.document), before)
        write_rows(before, target)
        return _publish(target, actor, message or f"Back to revision {number}", source)


@dataclass(frozen=True, slots=True)
class Draft:
    """One look at the rows, beside what is live: what publishing them would change."""

    changes: Changes
    rows: Document = field(repr=False)
    """As they were read; so is `live`, whose number is 0 where nothing is live yet."""
    live: Document = field(repr=False)
    live_number: int

    @property
    def digest(self) -> str:
        """What tells this draft from another."""
        return draft_digest(self.rows)


@collections_paused()
def draft_now() -> Draft:
    """Nothing is made canonical that is written alike in both: nearly all, or all where nothing is pending."""
    rows, live = read_rows(), live_revision()
    published = orjson.loads(live.document) if live else EMPTY
    changes = Changes() if surely_equal(published, rows) else diff(published, rows)
    return Draft(changes, rows, published, live.number if live else 0)


def draft_digest(rows: Document) -> str:
    """What tells one draft from another, by how its rows are written."""
    return digest(rows, is_canonical=True)


def draft_changes() -> Changes:
    """What publishing the rows now would change."""
    return draft_now().changes


def patched_live(raw: Any) -> tuple[Document, Document]:
    """What is live, and what it would be with single keys laid over it (see `patch`). Raises ConfigurationInvalid."""
    live = _live_document()
    return live, validated(merge(live, patch(live, raw), prune=False).document, live)[0]


def live_and_draft() -> tuple[Document, Document]:
    """What is live, and the rows."""
    rows = _current()
    return _live_document(rows), rows


def publish_edits(
    edits: Sequence[Edit], *, actor: Actor, message: str, source: str
) -> tuple[Outcome | None, Carried]:
    """Changes what is live by single edits, beside any draft: the draft gets them too where it has not changed the
    same. On a conflict nothing is done, and there is no outcome. In the caller's transaction, which holds the lock.
    """
    live, rows = live_and_draft()
    carried = carry_out(live, edits)
    if carried.conflicts:
        return None, carried
    target, _warnings = validated(carried.document, live)
    draft = _rebased(rows, carried.done) if _compare(live, rows) else target
    write_rows(rows, draft)
    is_left = draft is not target and bool(_compare(target, draft))  # not where both change the same
    return _publish(target, actor, message, source, keeps_draft=is_left), carried


def _rebased(rows: Document, edits: Sequence[Edit]) -> Document:
    """The draft with what was published beside it; as it was, where both together are not valid."""
    try:
        return validated(carry_out(rows, edits).document)[0]
    except ConfigurationInvalid:
        return rows


def tell(event: PublishedEvent) -> None:
    """To the ports that hear of changes."""
    _tell(event)


def _edited(edit: Become, judge: Judge | None) -> tuple[Document, Document, Outcome]:
    """The rows as they are, as they should be, and what that would change."""
    current = _current()
    merged = edit(current)
    target, warnings = validated(merged.document, current)
    changes = _compare(current, target)
    if judge is not None:
        judge(current, target, changes)
    return current, target, Outcome("previewed", changes, live_number(), merged.pruned, warnings)


def _leave_draft(target: Document, preview: Outcome, actor: Actor, message: str, source: str) -> Outcome:
    if not preview.changes:
        outcome = replace(preview, kind="unchanged")
    else:
        record_pending(actor, source=source, message=message)
        _tell(PublishedEvent("draft", actor, source, message, None, preview.changes))
        outcome = replace(preview, kind="drafted")
    if not _compare(_live_document(target), target):
        forget_pending()  # the edits have cancelled each other out
    return outcome


def _publish(
    target: Document, actor: Actor, message: str, source: str, *, keeps_draft: bool = False
) -> Outcome:
    """Numbers and stores the revision; the rows hold `target` already, and the lock is held."""
    live = live_revision()
    changes = _compare(_document_of(live, target), target)
    number = live.number + 1 if live else 1
    edits = [] if keeps_draft else pending_edits()
    if not keeps_draft:
        forget_pending(revision=number if changes else None)
    make_groups(target)
    if not changes:
        return Outcome("unchanged", changes, live.number if live else None)
    revision = Revision.objects.create(
        number=number,
        author=actor.name[:200],
        user_id=actor.user_id,
        message=message,
        source=source,
        parent=live.number if live else None,
        document=orjson.dumps(target).decode(),
        digest=digest(target, is_canonical=True),
        changes=_kept(changes),
        rows_key="" if keeps_draft else rows_key(),
        edits=edits or None,
    )
    _tell(PublishedEvent("publish", actor, source, message, revision.number, changes))
    announce(revision.number)
    return Outcome("published", changes, revision.number)


def _kept(changes: Changes) -> dict[str, Any]:
    """What a revision remembers of its changes: every name, and the details of the first few hundred entries."""
    kept = changes.as_json()
    for entry in kept["entries"][DETAILED_ENTRIES:]:
        del entry["fields"]
    return kept


def _compare(old: Document, new: Document) -> Changes:
    """Both are canonical here, always; making them so again would take longer than comparing them."""
    return diff(old, new, are_canonical=True)


def _current() -> Document:
    return canonicalise(read_rows())


def _live_document(known: Document = EMPTY) -> Document:
    return _document_of(live_revision(), known)


def _document_of(revision: Revision | None, known: Document) -> Document:
    """Canonical by today's schema: it may have been stored by an earlier version."""
    return canonicalise(orjson.loads(revision.document), known=known) if revision else EMPTY


def _expect(revision: int | None) -> None:
    live = live_number() or 0
    if revision is not None and revision != live:
        raise EditConflict(f"this change was made for revision {revision}, but revision {live} is live now")


def _tell(event: PublishedEvent) -> None:
    for port in _audit:
        port(event)
