"""What came of requests."""

from observability.traffic.folding import Cell, Spent, more
from observability.traffic.histogram import bucket_of


def test_cells_add_up() -> None:
    cell = Cell(count=1, seconds=0.5, upstream_s=0.25, received=7, sent=10, buckets={3: 1})
    cell.add(Cell(count=2, seconds=1.0, upstream_s=0.5, received=1, sent=2, buckets={3: 1, 4: 1}))

    assert cell == Cell(count=3, seconds=1.5, upstream_s=0.75, received=8, sent=12, buckets={3: 2, 4: 1})


def test_durations_are_noted_one_by_one() -> None:
    spent = Spent()
    for _ in range(2):
        spent.note(0.25)

    assert spent == Spent({bucket_of(0.25): 2}, 0.5)


def test_what_is_not_there_yet_begins_at_nothing() -> None:
    counts = {"a": 1}
    more(counts, "a")
    more(counts, "b", 3)

    assert counts == {"a": 2, "b": 3}
