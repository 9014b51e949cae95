"""Counting statements in what a client of PostgreSQL sends."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pgwire import StatementCounter

STARTUP = (8).to_bytes(4, "big") + b"\x00\x03\x00\x00"


def message(kind: str, body: bytes) -> bytes:
    return kind.encode() + (len(body) + 4).to_bytes(4, "big") + body


def test_queries_and_executions_are_statements() -> None:
    """Parse, bind, describe and sync belong to the execution that follows them."""
    counter = StatementCounter()
    counter.feed(STARTUP + message("Q", b"SELECT 1\0") + message("X", b""))
    for kind in "PBDES":
        counter.feed(message(kind, b"Q" * 10))
    assert counter.statements == 2


@given(
    st.lists(st.tuples(st.sampled_from("QEPBDS"), st.binary(max_size=20)), max_size=8),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_pieces_do_not_matter(messages: list[tuple[str, bytes]], steps: list[int]) -> None:
    """However the bytes are cut, the count is that of the messages."""
    data = STARTUP + b"".join(message(kind, body) for kind, body in messages)
    counter, at, turn = StatementCounter(), 0, 0
    while at < len(data):
        step = steps[turn % len(steps)]
        counter.feed(data[at : at + step])
        at, turn = at + step, turn + 1
    assert counter.statements == sum(kind in "QE" for kind, _ in messages)
