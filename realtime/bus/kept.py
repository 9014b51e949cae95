"""D: What the outbox and dead letters do with rows. Each function is one transaction or less.

Bounds hold for the whole installation: what would go beyond them is not kept, and whoever wanted it is told.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from realtime.bus.adapter import Message
from realtime.models import DeadLetter, WaitingEvent
from realtime.rows.bus import ID_LENGTH, REASON_LENGTH, TOPIC_LENGTH, TYPE_LENGTH
from routing.auditing import Deed, gathering, record

MOST_EVENTS: Final = 10_000
MOST_BYTES: Final = 64 << 20
MOST_DEAD: Final = 1_000
MOST_DEAD_BODY: Final = 1 << 20
PREVIEW: Final = 500
_SECRET: Final = re.compile(
    r'("[^"]*(?:password|passwd|secret|token|api_?key|authorization|cookie)[^"]*"\s*:\s*)("(?:[^"\\]|\\.)*"?|[^,}\s]+)',
    re.IGNORECASE,
)
_TOLD: Final = frozenset(
    {"x-request-id", "traceparent", "x-user-id", "x-user-name", "x-user-roles", "x-user-scopes"}
    | {"x-consumer", "x-auth-method"}
)
Kept = TypeVar("Kept", WaitingEvent, DeadLetter)


def put(messages: Sequence[Message]) -> int:
    """Keeps the first so many of these, as the bounds allow; how many."""
    count, size = held()
    taken = 0
    for message in messages:
        count, size = count + 1, size + len(message.body)
        if count > MOST_EVENTS or size > MOST_BYTES:
            break
        taken += 1
    now = timezone.now()
    WaitingEvent.objects.bulk_create([WaitingEvent(at=now, **_fields(each)) for each in messages[:taken]])
    return taken


def held() -> tuple[int, int]:
    """How many events wait, and their bytes."""
    found = WaitingEvent.objects.aggregate(count=Count("pk"), size=Sum("size"))
    return found["count"], found["size"] or 0


def numbers() -> dict[str, int]:
    """What the installation keeps now: waiting events, their bytes, and dead letters."""
    waiting, size = held()
    return {"waiting": waiting, "waiting_bytes": size, "dead_letters": DeadLetter.objects.count()}


def first(number: int) -> list[tuple[int, Message]]:
    """The oldest that wait."""
    return [(row.pk, message_of(row)) for row in WaitingEvent.objects.order_by("pk")[:number]]


def sent(keys: Iterable[int]) -> None:
    """They wait no more."""
    WaitingEvent.objects.filter(pk__in=list(keys)).delete()


def bury(message: Message, reason: str, direction: str, *, key: int | None = None) -> None:
    """A dead letter; `key` is that of the event that has waited until now. The oldest give way to new ones."""
    whole = len(message.body) <= MOST_DEAD_BODY
    with transaction.atomic():
        fields = _fields(message if whole else message._replace(body=message.body[:PREVIEW]))
        DeadLetter.objects.create(
            at=timezone.now(),
            direction=direction,
            reason=(reason if whole else f"{reason} (its body was not kept)")[:REASON_LENGTH],
            **{**fields, "size": len(message.body)},
        )
        if key is not None:
            sent([key])
        over = list(
            DeadLetter.objects.order_by("-pk").values_list("pk", flat=True)[MOST_DEAD : MOST_DEAD + 100]
        )
        DeadLetter.objects.filter(pk__in=over).delete()


def send_again(letters: Iterable[DeadLetter], *, by: str = "", reason: str = "") -> int:
    """Hands them to the outbox, which sends them on; how many. Those that it has no room for stay."""
    moved = 0
    with gathering(by=by, reason=reason):
        for letter in letters:
            with transaction.atomic():
                if not is_whole(letter) or not put([message_of(letter)]):
                    continue
                letter.delete()
                _note("bus.send_again", [letter.topic], by, reason)
                moved += 1
    return moved


def is_whole(letter: DeadLetter) -> bool:
    """Whether its body was kept: a huge one is not."""
    return len(letter.body) >= letter.size


def throw_away(letters: QuerySet[DeadLetter], *, by: str = "", reason: str = "") -> int:
    """They are gone for good; how many."""
    with transaction.atomic():
        topics = list(letters.order_by("topic").values_list("topic", flat=True).distinct())
        gone = letters.delete()[0]
        if gone:
            _note("bus.throw_away", topics, by, reason, letters=gone)
    return gone


def _note(action: str, topics: Iterable[str], by: str, reason: str, **details: int) -> None:
    about = tuple(("bus topic", topic) for topic in topics)
    record(Deed(action, about, by, reason, details=details))


def message_of(row: WaitingEvent | DeadLetter) -> Message:
    return Message(row.event_id, row.topic, row.time, bytes(row.body), row.content_type, dict(row.headers))


def preview(row: WaitingEvent | DeadLetter) -> str:
    """The beginning of the body as a text; values whose names say that they are secret are left out."""
    text = bytes(row.body[: 4 * PREVIEW]).decode("utf-8", "replace")
    shown = _SECRET.sub(r'\1"…"', text)
    return shown if len(shown) <= PREVIEW and row.size <= 4 * PREVIEW else f"{shown[:PREVIEW]}…"


def _fields(message: Message) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in message.headers.items()}
    return {
        "event_id": _fit(message.id, ID_LENGTH),
        "topic": _fit(message.topic, TOPIC_LENGTH),
        "time": _fit(message.time, 40),
        "content_type": _fit(message.content_type, TYPE_LENGTH),
        "headers": {name: _fit(value, 2000) for name, value in headers.items() if name in _TOLD},
        "body": message.body,
        "size": len(message.body),
    }


def _fit(text: str, length: int) -> str:
    """No database of ours takes NUL in a text."""
    return text.replace("\0", "")[:length]
