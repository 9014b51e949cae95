"""When a credential no longer counts."""

from hypothesis import given
from hypothesis import strategies as st

from authproxy.changes import EVERYBODY, Change, Changes
from authproxy.identity import Identity


def caller(*subjects: str, seq: int | None = 0, issued_at: float = 0.0) -> Identity:
    return Identity(method="jwt", consumer="ada", subjects=subjects, seq=seq, issued_at=issued_at)


def test_nothing_is_stale_while_nothing_changed() -> None:
    assert not Changes().is_stale(caller("user:1"))


def test_change_ends_what_rests_on_its_subject_and_nothing_else() -> None:
    changes = Changes()
    changes.note([Change(5, "user:1", 100.0)])

    assert changes.is_stale(caller("user:1", "consumer:9", seq=4))
    assert not changes.is_stale(caller("user:1", seq=5)), "it was read after the change"
    assert not changes.is_stale(caller("user:2", seq=4))


def test_token_without_a_number_is_judged_by_its_time_of_issue() -> None:
    changes = Changes()
    changes.note([Change(5, "user:1", 100.0)])

    assert changes.is_stale(caller("user:1", seq=None, issued_at=99.0))
    assert not changes.is_stale(caller("user:1", seq=None, issued_at=100.0))
    assert changes.is_stale(caller("user:1", seq=None)), "one that does not even say when it was issued"


def test_everybody_can_be_ended() -> None:
    changes = Changes()
    changes.note([Change(1, EVERYBODY, 1.0)])

    assert changes.is_stale(caller(seq=0))
    assert not changes.is_stale(caller(seq=1))


def test_order_and_repetition_do_not_matter() -> None:
    changes = Changes()
    changes.note([Change(7, "user:1", 7.0), Change(3, "user:1", 3.0)])
    epoch = changes.epoch
    changes.note([Change(3, "user:1", 3.0), Change(7, "user:1", 7.0)])

    assert changes.is_stale(caller("user:1", seq=6))
    assert changes.newest == 7
    assert changes.epoch == epoch, "nothing new: nobody has to look again"


def test_listeners_hear_each_subject_once() -> None:
    heard: list[tuple[str, ...]] = []
    changes = Changes()
    changes.subscribe(heard.append)
    changes.note([Change(1, "user:1", 1.0), Change(2, "key:4", 1.0)])
    changes.note([Change(2, "key:4", 1.0)])

    assert heard == [("user:1", "key:4")]


def test_what_is_older_than_any_token_is_forgotten() -> None:
    changes = Changes()
    changes.note([Change(1, "user:1", 10.0), Change(2, "user:2", 20.0)])
    changes.forget(before=15.0)

    assert not changes.is_stale(caller("user:1", seq=None, issued_at=5.0)), "such a token has expired"
    assert not changes.is_stale(caller("user:1", seq=1))
    assert changes.is_stale(caller("user:2", seq=1))


def test_identity_that_was_kept_longer_than_its_change_is_stale() -> None:
    """It may be one of those that the forgotten change would have ended."""
    changes = Changes()
    changes.note([Change(7, "key:1", 10.0)])
    changes.forget(before=15.0)

    assert changes.is_stale(caller("key:1", seq=6))
    assert not changes.is_stale(caller("key:1", seq=7))


def test_what_only_own_tokens_name_is_forgotten_earlier() -> None:
    """Tokens from elsewhere name accounts, and may be older."""
    changes = Changes()
    changes.note([Change(1, "user:1", 10.0), Change(2, "session:2", 10.0), Change(3, "session:3", 20.0)])
    changes.forget(before=5.0, brief_before=15.0)

    assert changes.is_stale(caller("user:1", seq=None, issued_at=9.0))
    assert not changes.is_stale(caller("session:2", seq=None, issued_at=9.0))
    assert changes.is_stale(caller("session:3", seq=2))


@given(
    st.lists(st.tuples(st.integers(0, 30), st.floats(0, 1000)), max_size=40),
    st.integers(0, 30),
    st.one_of(st.none(), st.integers(0, 50)),
    st.floats(0, 1000),
)
def test_forgetting_for_want_of_room_never_lets_anybody_in(rows, who, seq, issued_at) -> None:
    """Compared with a table that has room for all."""
    noted = [Change(number, f"user:{user}", at) for number, (user, at) in enumerate(rows, start=1)]
    roomy, narrow = Changes(), Changes(limit=3)
    roomy.note(noted)
    narrow.note(noted)
    identity = caller(f"user:{who}", seq=seq, issued_at=issued_at)

    if roomy.is_stale(identity):
        assert narrow.is_stale(identity)


def test_room_is_bounded() -> None:
    changes = Changes(limit=10)
    changes.note(Change(number, f"session:{number}", float(number)) for number in range(1, 1001))

    assert len(changes._by_subject) == 10
    assert changes.is_stale(caller("session:5", seq=989))
    assert not changes.is_stale(caller("session:5000", seq=990))
