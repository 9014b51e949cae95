"""What is kept of changes for a start without a database."""

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy import keptchanges
from authproxy.changes import Change, Changes
from authproxy.identity import Identity
from authproxy.keptchanges import FORMAT, KeptChanges

ONE, TWO, THREE = Change(1, "user:1", 10.0), Change(2, "key:2", 20.5), Change(7, "all", 30.0)
EIGHT = Change(8, "session:8", 31.0)


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    """Rewritten, then added to; nobody else may read it."""
    kept = KeptChanges(tmp_path)
    assert kept.load() == []
    assert kept.rewrite([ONE, TWO], upto=2) == "kept"
    assert kept.append([THREE]) == "kept"

    assert KeptChanges(tmp_path).load() == [ONE, TWO, THREE]
    assert kept.path.stat().st_mode & 0o777 == 0o600
    kept.rewrite([TWO], upto=7)
    assert kept.load() == [TWO]
    kept.rewrite([], upto=7)
    kept.append([EIGHT])
    assert kept.load() == [EIGHT]


def test_workers_write_a_change_down_once(tmp_path: Path) -> None:
    """All of them hear of it."""
    one, other = KeptChanges(tmp_path), KeptChanges(tmp_path)
    one.rewrite([], upto=0)
    one.append([ONE, TWO])
    other.append([ONE, TWO, THREE])
    one.append([THREE])

    assert one.load() == [ONE, TWO, THREE]
    assert one.path.read_bytes().count(b"\n") == 4


def test_who_knows_less_takes_nothing_away(tmp_path: Path) -> None:
    """A worker that has asked the database earlier may write later."""
    slow, quick = KeptChanges(tmp_path), KeptChanges(tmp_path)
    quick.rewrite([ONE, TWO], upto=2)
    quick.append([THREE, EIGHT])
    slow.rewrite([TWO], upto=2)
    slow.append([THREE])

    assert slow.load() == [TWO, THREE, EIGHT]


@pytest.mark.parametrize(
    "torn",
    [b'[3,"user:3",', b"\xff\xfe", b"", b'[3,"user:3",1.0] 00000000', b"[3,3,3] 08197587", b"[] 0d4cbb29"],
)
def test_torn_or_edited_lines_are_passed_over(
    tmp_path: Path, torn: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A crash in the middle of a line costs that line, and no other."""
    kept = KeptChanges(tmp_path)
    kept.rewrite([ONE], upto=1)
    with kept.path.open("ab") as file:
        file.write(torn)
    kept.append([TWO])

    assert kept.load() == [ONE, TWO]
    assert ("torn or edited" in caplog.text) is (torn != b"")


@given(st.integers(min_value=0), st.integers(1, 255))
def test_no_changed_byte_makes_a_change_up(
    tmp_path_factory: pytest.TempPathFactory, place: int, difference: int
) -> None:
    """Whatever is still read was written so."""
    kept = KeptChanges(tmp_path_factory.mktemp("kept"))
    kept.rewrite([ONE, TWO, THREE], upto=7)
    content = bytearray(kept.path.read_bytes())
    content[place % len(content)] ^= difference
    kept.path.write_bytes(content)

    assert set(kept.load()) <= {ONE, TWO, THREE}


@given(st.integers(min_value=0))
def test_a_file_that_ends_early_is_used_as_far_as_it_goes(
    tmp_path_factory: pytest.TempPathFactory, size: int
) -> None:
    """And added to."""
    kept = KeptChanges(tmp_path_factory.mktemp("kept"))
    kept.rewrite([ONE, TWO, THREE], upto=7)
    content = kept.path.read_bytes()
    kept.path.write_bytes(content[: size % len(content)])
    whole = kept.load()
    assert whole == [ONE, TWO, THREE][: len(whole)]
    if kept.append([ONE, TWO, THREE, EIGHT]) == "begin anew":
        kept.rewrite([ONE, TWO, THREE, EIGHT], upto=8)

    assert kept.load() == [ONE, TWO, THREE, EIGHT]


@pytest.mark.parametrize("content", [None, b"", b"torana-identity-changes-9\n", b"\n"])
def test_what_is_no_such_file_is_begun_anew(tmp_path: Path, content: bytes | None) -> None:
    """Deleted while the gateway runs, or of another version."""
    kept = KeptChanges(tmp_path)
    if content is not None:
        kept.path.write_bytes(content)
    assert kept.load() == []
    assert kept.append([TWO]) == "begin anew"
    assert kept.rewrite([ONE, TWO], upto=2) == "kept"

    assert kept.load() == [ONE, TWO]


def test_a_file_that_grew_too_long_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so when it has passed the bound; and no more than twice of that is ever read."""
    kept = KeptChanges(tmp_path)
    kept.rewrite([], upto=0)
    monkeypatch.setattr(keptchanges, "MOST_BYTES", 60)
    assert [kept.append([each]) for each in (ONE, TWO, THREE)] == ["kept", "begin anew", "begin anew"]
    kept.append([EIGHT])
    assert kept.load() == [ONE, TWO, THREE]


def test_nobody_waits_for_another_worker_that_writes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be stopped, and that is nothing to complain of."""
    kept = KeptChanges(tmp_path)
    kept.rewrite([ONE], upto=1)
    with (tmp_path / "identity-changes.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert kept.append([TWO]) == kept.rewrite([TWO], upto=2) == "not now"
    assert kept.append([TWO]) == "kept"
    assert not caplog.records


def test_a_kill_before_the_rename_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file counts, and what was left behind is removed by the next."""
    kept = KeptChanges(tmp_path)
    kept.rewrite([ONE], upto=1)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", _killed)
        patched.setattr(Path, "unlink", _killed)
        with pytest.raises(Killed):
            kept.rewrite([ONE, TWO], upto=2)
    assert len(list(tmp_path.glob(".identity-changes.*"))) == 1
    assert kept.load() == [ONE]
    kept.rewrite([ONE, TWO], upto=2)

    assert not list(tmp_path.glob(".identity-changes.*"))
    assert kept.load() == [ONE, TWO]


class Killed(BaseException):
    """Nothing more is done after it."""


def _killed(*_arguments: object, **_options: object) -> None:
    raise Killed


@pytest.mark.parametrize(
    "attempt", [lambda kept: kept.rewrite([ONE, TWO], upto=2), lambda kept: kept.append([TWO])]
)
def test_a_full_disk_is_said_once(
    tmp_path: Path,
    attempt: Callable[[KeptChanges], str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was kept stays; when it works again and fails again, it is said again."""
    kept = KeptChanges(tmp_path)
    kept.rewrite([ONE], upto=1)
    for count in (1, 2):
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", _full)
            assert [attempt(kept), attempt(kept)] == ["not now"] * 2
        assert len(caplog.records) == count
        assert "No space left on device" in caplog.text
        assert kept.load()[0] == ONE
        kept.rewrite([ONE], upto=2)


def _full(_descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_folder_that_is_away_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Or something else in the file's place."""
    kept = KeptChanges(tmp_path / "gone")
    assert [kept.rewrite([ONE], upto=1), kept.rewrite([ONE], upto=1)] == ["not now"] * 2
    assert len(caplog.records) == 1
    (tmp_path / "gone").mkdir()
    kept.rewrite([ONE], upto=1)
    kept.path.unlink()
    kept.path.mkdir()
    assert kept.load() == []
    assert len(caplog.records) == 2


def test_there_are_no_secrets_in_it(tmp_path: Path) -> None:
    """Numbers, subjects, times and checksums: that is the whole of the file."""
    kept = KeptChanges(tmp_path)
    kept.rewrite([ONE], upto=1)

    assert kept.path.read_bytes() == FORMAT + b'\n[1,"user:1",10.0] e119f88f\n'


STORIES = st.lists(
    st.tuples(
        st.sampled_from(["user:1", "key:2", "session:x", "all", *map(str, range(5))]), st.floats(0, 1e9)
    ),
    max_size=20,
)
Story = list[tuple[str, float]]


def in_time(story: Story) -> Story:
    """As clocks go."""
    times = sorted(at for _, at in story)
    return [(name, at) for (name, _), at in zip(story, times, strict=True)]


def told(folder: Path, story: Story, rewrites: list[bool], limit: int) -> tuple[Changes, Changes, Changes]:
    """What a worker knows that has room for all, one that has little, and one that starts from what that one kept."""
    kept = KeptChanges(folder)
    kept.rewrite([], upto=0)
    everything, before, after = Changes(), Changes(limit=limit), Changes(limit=limit)
    noted: list[Change] = []
    for number, (subject, at) in enumerate(story, start=1):
        noted.append(Change(number, subject, at))
        everything.note(noted[-1:])
        before.note(noted[-1:])
        if rewrites[number - 1]:
            kept.rewrite(noted, upto=number)
        else:
            kept.append(noted[-1:])
    after.note(kept.load())
    return everything, before, after


@given(
    STORIES.map(in_time),
    st.lists(st.booleans(), min_size=20, max_size=20),
    st.sampled_from([(), ("user:1",), ("key:2", "session:x")]),
    st.one_of(st.none(), st.integers(0, 21)),
    st.integers(1, 8),
)
def test_what_is_stale_is_stale_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory,
    story: Story,
    rewrites: list[bool],
    subjects: tuple[str, ...],
    seq: int | None,
    limit: int,
) -> None:
    """Whatever was kept, in whatever pieces; also where there was no room for all, and the floor had risen."""
    _, before, after = told(tmp_path_factory.mktemp("kept"), story, rewrites, limit)
    identity = Identity(method="jwt", subjects=subjects, seq=seq, issued_at=5e8)

    assert after.newest == before.newest
    assert after.is_stale(identity) is before.is_stale(identity)


@given(
    STORIES,
    st.lists(st.booleans(), min_size=20, max_size=20),
    st.sampled_from([(), ("user:1",), ("key:2", "session:x")]),
    st.one_of(st.none(), st.integers(0, 21)),
    st.integers(1, 8),
)
def test_a_clock_that_is_set_back_lets_nobody_in(
    tmp_path_factory: pytest.TempPathFactory,
    story: Story,
    rewrites: list[bool],
    subjects: tuple[str, ...],
    seq: int | None,
    limit: int,
) -> None:
    """What was taken back once stays so, with little room and after a restart as well."""
    everything, before, after = told(tmp_path_factory.mktemp("kept"), story, rewrites, limit)
    identity = Identity(method="jwt", subjects=subjects, seq=seq, issued_at=5e8)
    taken_back = any(
        at > 5e8 if seq is None else number > seq
        for number, (subject, at) in enumerate(story, start=1)
        if subject in (*subjects, "all")
    )

    assert everything.is_stale(identity) is taken_back
    assert before.is_stale(identity) or not taken_back
    assert after.is_stale(identity) or not taken_back
