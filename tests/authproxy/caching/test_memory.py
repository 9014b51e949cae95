"""The answers that one process keeps."""

from hypothesis import given
from hypothesis import strategies as st

from authproxy.caching.entry import Entry
from authproxy.caching.freshness import Times
from authproxy.caching.keys import NOBODY, Key
from authproxy.caching.memory import Memory, Uncached


def key(path: bytes = b"/x", owner: tuple[str, ...] = NOBODY) -> Key:
    return Key(b"c", owner, ("http", b"h", path, b""))


def entry(body: bytes = b"hello", *, route: str = "r") -> Entry:
    return Entry(200, [], body, Times(0, 60), route=route)


def test_an_answer_is_found_under_its_own_key() -> None:
    """And under no other."""
    memory = Memory()
    mine = entry()
    memory.put(key(), mine, ())

    assert memory.find(key()) is mine
    assert memory.find(key(b"/y")) is memory.find(key(owner=("ada",))) is None


def test_variants_are_told_apart_by_what_requests_say() -> None:
    """A request without the field is a variant, too; so is one after another name was added."""
    memory = Memory()
    german, none = entry(b"de"), entry(b"--")
    memory.put(key(), german, (b"accept-language",), [(b"accept-language", b"de")])
    memory.put(key(), none, (b"accept-language",), [])

    assert memory.find(key(), [(b"accept-language", b"de")]) is german
    assert memory.find(key(), [(b"accept", b"x")]) is none
    assert memory.find(key(), [(b"accept-language", b"fr")]) is None
    assert memory.put(key(), none, (b"accept",), [(b"accept", b"x")]) == (b"x", None)
    assert memory.names(key()) == (b"accept", b"accept-language")
    assert memory.find(key(), [(b"accept-language", b"de")]) is None


def test_names_do_not_grow_for_ever() -> None:
    """A service that names others each time begins anew; its newest answer is found."""
    memory = Memory()
    for number in range(200):
        memory.put(key(), entry(), (b"x-%d" % number,), [])
        assert memory.find(key(), []) is not None

    assert len(memory.names(key()) or ()) <= 32


def test_the_least_used_goes_first() -> None:
    """By number; what is looked at is used."""
    memory = Memory(most_entries=2)
    for path in (b"/1", b"/2"):
        memory.put(key(path), entry(), ())
    memory.find(key(b"/1"))
    memory.put(key(b"/3"), entry(), ())

    assert memory.find(key(b"/2")) is None
    assert memory.find(key(b"/1")) is not None
    assert memory.counts.evicted == 1


def test_a_url_is_forgotten_whoever_its_answers_are_for() -> None:
    """With all variants and marks."""
    memory = Memory()
    memory.put(key(), entry(), (b"a",), [(b"a", b"1")])
    memory.put(key(owner=("ada",)), entry(), ())
    memory.put(key(owner=("bob",)), Uncached(9.0), ())
    memory.put(key(b"/y"), entry(), ())

    assert memory.forget_url(key().url) == 2
    assert len(memory) == 1
    assert memory.forget_url(key().url) == 0


def test_what_somebody_means_is_forgotten() -> None:
    """Answers are looked at, marks are not."""
    memory = Memory()
    memory.put(key(), entry(route="a"), (b"x",), [])
    memory.put(key(b"/y"), entry(route="b"), ())
    memory.put(key(b"/z"), Uncached(9.0), ())

    assert memory.forget(lambda url, kept: kept.route == "a" and url[2] == b"/x") == 1
    assert memory.find(key()) is None
    assert memory.find(key(b"/y")) is not None


def test_an_answer_that_is_larger_than_all_room_is_not_kept() -> None:
    """And nothing else goes for it."""
    memory = Memory(most_bytes=3000)
    memory.put(key(b"/y"), entry(), ())
    memory.put(key(), entry(b"x" * 5000), ())

    assert memory.find(key()) is None
    assert memory.find(key(b"/y")) is not None


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "vary", "mark", "url", "drop", "forget", "clear"]),
        st.integers(0, 5),
        st.integers(0, 400),
    ),
    max_size=60,
)


@given(STEPS)
def test_bounds_hold_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    """Bytes are counted as they are, and nothing is left of what went."""
    memory = Memory(most_bytes=4000, most_entries=4)
    for step, number, size in steps:
        at = key(b"/%d" % number)
        if step == "put":
            memory.put(at, entry(b"x" * size), ())
        elif step == "vary":
            memory.put(at, entry(b"x" * size), (b"a",), [(b"a", b"%d" % size)])
        elif step == "mark":
            memory.put(at, Uncached(1.0), ())
        elif step == "url":
            memory.forget_url(at.url)
        elif step == "drop":
            memory.drop(at)
        elif step == "forget":
            memory.forget(lambda url, _: url[2] != b"/1")
        else:
            memory.clear()
        assert memory.size <= 4000
        assert len(memory) <= 4
    memory.clear()
    assert (len(memory), memory.size) == (0, 0)


def test_sizes_return_to_nothing() -> None:
    """What is dropped one by one leaves no bytes behind."""
    memory = Memory()
    for number in range(5):
        memory.put(key(b"/%d" % number), entry(b"x" * number), (b"a",), [(b"a", b"v" * number)])
    for number in range(5):
        memory.forget_url(key(b"/%d" % number).url)

    assert (len(memory), memory.size) == (0, 0)


def test_what_is_asked_for_once_takes_nobody_s_room() -> None:
    """While there is room all are admitted; a full memory admits what it has, and what knocks a second time."""
    memory = Memory(most_entries=2)
    assert memory.admits(key())
    for path in (b"/a", b"/b"):
        memory.put(key(path), entry(), ())

    assert memory.admits(key(b"/a"))
    assert [memory.admits(key(b"/new")) for _ in range(3)] == [False, True, True]


def test_knocks_are_forgotten() -> None:
    """There is a bound to what is remembered of them."""
    memory = Memory(most_entries=2)
    for path in (b"/a", b"/b"):
        memory.put(key(path), entry(), ())
    knocks = [key(b"/%d" % number) for number in range(3)]

    assert [memory.admits(each) for each in knocks] == [False] * 3
    assert not memory.admits(knocks[0])
