"""D: Who changed the rows since the live revision was published, and what the draft holds."""

from dataclasses import dataclass
from typing import Final

from routing.models import DraftComment, PendingChange, Revision

MOST_EDITS: Final = 100
"""A revision remembers no more of those that made it."""
NAMED: Final = 3
"""Of those who made a draft."""
LONGEST_MESSAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: a person's or a system account's name, and the Django user if there is one."""

    name: str
    user_id: int | None = None


def record_pending(actor: Actor, *, source: str, message: str) -> None:
    """Notes that the actor has a hand in the draft."""
    PendingChange.objects.create(
        author=actor.name, user_id=actor.user_id, source=source, message=message, base=live_number()
    )


def join_pending(actor: Actor, *, source: str, message: str) -> None:
    """Notes the actor's part of what is published together with a draft that others have begun."""
    if PendingChange.objects.exists():
        record_pending(actor, source=source, message=message)


def pending_authors() -> tuple[str, ...]:
    """Names of everybody who has a hand in the draft, in order of their first change."""
    return tuple(dict.fromkeys(PendingChange.objects.values_list("author", flat=True)))


def pending_edits() -> list[dict[str, str]]:
    """Who changed what the draft holds, when, how and why, the first first; of very many the last MOST_EDITS."""
    newest = PendingChange.objects.order_by("-pk")[:MOST_EDITS]
    return [
        {
            "at": edit.created_at.isoformat().replace("+00:00", "Z"),
            "author": edit.author,
            "source": edit.source,
            "message": edit.message[:LONGEST_MESSAGE],
        }
        for edit in reversed(newest)
    ]


def made_by(revision: Revision) -> str:
    """Who published it and, where it was others' draft, whose: `bert (changes by anna)`."""
    others = dict.fromkeys(edit["author"] for edit in revision.edits or ())
    others.pop(revision.author, None)
    if not others:
        return revision.author
    first, more = list(others)[:NAMED], len(others) - NAMED
    names = ", ".join([*first, f"{more} more"] if more > 0 else first)
    return f"{revision.author} (changes by {names})"


def is_author(actor: Actor) -> bool:
    """Whether the actor has a hand in the draft, by account or by name."""
    pending = PendingChange.objects.all()
    if pending.filter(author=actor.name).exists():
        return True
    return actor.user_id is not None and pending.filter(user_id=actor.user_id).exists()


def forget_pending(*, revision: int | None = None) -> None:
    """The draft was published or thrown away; what was said about it is kept."""
    PendingChange.objects.all().delete()
    DraftComment.objects.filter(is_open=True).update(is_open=False, revision=revision)


def standing_rejection() -> DraftComment | None:
    """The rejection that the draft lies under: nobody has changed it since."""
    rejection = DraftComment.objects.filter(is_open=True, is_rejection=True).last()
    if rejection is None or PendingChange.objects.filter(created_at__gt=rejection.created_at).exists():
        return None
    return rejection


def draft_base() -> int | None:
    """The number of the revision that was live when the draft was begun; None where nobody knows."""
    return PendingChange.objects.order_by("pk").values_list("base", flat=True).first()


def live_revision() -> Revision | None:
    """The newest revision: what data planes run."""
    return Revision.objects.order_by("-number").first()


def live_number() -> int | None:
    """Its number, without its document."""
    return Revision.objects.order_by("-number").values_list("number", flat=True).first()
