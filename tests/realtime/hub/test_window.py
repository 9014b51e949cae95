"""What a window replays and what it says is missing, against a model that keeps everything."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.events import Event
from realtime.hub.ids import NOTHING, EventId
from realtime.hub.window import Window

TOPICS = ("a", "b", "c")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.sampled_from(TOPICS)),
        st.tuples(st.just("age"), st.integers(1, 8)),
        st.tuples(st.just("lose"), st.sampled_from(("", *TOPICS))),
    ),
    max_size=40,
)


def event(id: EventId, topic: str) -> Event:  # noqa: A002 - the field's name
    return Event(str(id), topic, "t", None, "", b"x" * 10)


@given(steps=STEPS, most_events=st.integers(1, 6), most_topics=st.integers(1, 4), room=st.integers(10, 60))
def test_nothing_is_missed_without_a_word(
    steps: list[tuple[str, object]], most_events: int, most_topics: int, room: int
) -> None:
    """From any id on: what is replayed is all that came after it, or something is said to be missing."""
    window = Window(
        floor=NOTHING, most_events=most_events, most_topics=most_topics, most_bytes=room, oldest_s=5.0
    )
    history: list[tuple[EventId, str]] = []
    losses: list[tuple[int, str]] = []
    now = 0.0
    for number, (step, value) in enumerate(steps, start=1):
        if step == "event":
            id = EventId(number, 0)  # noqa: A001 - the field's name
            window.append(id, event(id, str(value)), now)
            history.append((id, str(value)))
        elif step == "age":
            now += float(str(value))
            window.age(now)
        elif value:
            window.last = EventId(number, 0)
            window.lose_of(str(value))
            losses.append((number, str(value)))
        else:
            window.lose()
            losses.append((number, ""))
    assert len(window) <= most_events
    assert window.size <= room
    for last in [NOTHING, *(known for known, _ in history)]:
        for topic in TOPICS:
            wanted = [known for known, of in history if of == topic and known > last]
            replayed = [each.id for each in window.after(topic, window.place(topic, last), 1000)]
            assert replayed == wanted[len(wanted) - len(replayed) :]
            was_lost = any(at > last.ms and of in ("", topic) for at, of in losses)
            if len(replayed) < len(wanted) or was_lost:
                assert last < window.missing(topic)


@given(count=st.integers(1, 20), most=st.integers(1, 5))
def test_pieces_are_the_whole(count: int, most: int) -> None:
    window = Window(floor=NOTHING)
    for number in range(1, count + 1):
        window.append(EventId(number, 0), event(EventId(number, 0), "ab"[number % 2]), 0.0)
    place, got = 0, []
    while piece := window.after("a", place, most):
        assert len(piece) <= most
        got += [each.id.ms for each in piece]
        place = piece[-1].ordinal

    assert got == [number for number in range(1, count + 1) if number % 2 == 0]


def test_a_quiet_topic_has_no_gap() -> None:
    """What was dropped of others says nothing of it, as long as it is remembered."""
    window = Window(floor=NOTHING, most_events=2)
    window.append(EventId(1, 0), event(EventId(1, 0), "quiet"), 0.0)
    for number in range(2, 9):
        window.append(EventId(number, 0), event(EventId(number, 0), "busy"), 0.0)

    assert window.missing("quiet") == EventId(1, 0)
    assert window.missing("busy") == EventId(6, 0)
    assert window.dropped == 6
