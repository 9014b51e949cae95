"""Whatever is done to rows of the trail, the first one that is not as it was written is found."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from observability.audit.chain import GENESIS, Break, Link, Verified, canonical, check, hash_of

texts = st.text(st.characters(codec="utf-8"), max_size=20)
contents = st.lists(
    st.dictionaries(texts, st.one_of(texts, st.integers(-(2**53), 2**53), st.none())), max_size=8
)


def chained(bodies: list[dict[str, Any]]) -> list[Link]:
    """Rows as the writer makes them."""
    links: list[Link] = []
    previous = GENESIS
    for number, body in enumerate(bodies, 1):
        columns = {"id": number, "action": f"a{number}"}
        content = canonical({**body, **columns})
        digest = hash_of(previous, content)
        links.append(Link(number, content, previous, digest, columns))
        previous = digest
    return links


def verdict(links: list[Link]) -> Verified | Break:
    """The last word."""
    return (list(check(links)) or [Verified(0, 0, GENESIS)])[-1]


@given(contents)
def test_what_was_written_is_whole(bodies: list[dict[str, Any]]) -> None:
    links = chained(bodies)
    found = verdict(links)
    assert found == Verified(len(links), len(links), links[-1].hash if links else GENESIS)


@given(contents.filter(bool), st.data())
def test_an_altered_row_is_found(bodies: list[dict[str, Any]], data: st.DataObject) -> None:
    """Its content, its hash, the one before, its number or a column; also with a hash that fits its new content."""
    links = chained(bodies)
    at = data.draw(st.integers(0, len(links) - 1))
    row = links[at]
    other = canonical({"other": True})
    altered = data.draw(
        st.sampled_from(
            [
                row._replace(content=other),
                row._replace(content=other, hash=hash_of(row.previous, other)),
                row._replace(hash="f" * 64),
                row._replace(previous="f" * 64),
                row._replace(number=row.number + 1),
                row._replace(columns={**row.columns, "action": "other"}),
            ]
        )
    )
    found = verdict([*links[:at], altered, *links[at + 1 :]])
    assert isinstance(found, Break)
    assert found.number == altered.number


@given(contents.filter(lambda bodies: len(bodies) > 1), st.data())
def test_a_removed_row_is_found(bodies: list[dict[str, Any]], data: st.DataObject) -> None:
    """The newest is not: for that, its number and hash are noted elsewhere."""
    links = chained(bodies)
    at = data.draw(st.integers(0, len(links) - 2))
    found = verdict([*links[:at], *links[at + 1 :]])
    assert isinstance(found, Break)
    assert found.number == links[at + 1].number


@given(contents.filter(lambda bodies: len(bodies) > 1), st.data())
def test_rows_in_another_order_are_found(bodies: list[dict[str, Any]], data: st.DataObject) -> None:
    """Also where they are given each other's numbers."""
    links = chained(bodies)
    at = data.draw(st.integers(0, len(links) - 2))
    first, second = links[at], links[at + 1]
    renumbered = [second._replace(number=first.number), first._replace(number=second.number)]
    for pair in ([second, first], renumbered):
        assert isinstance(verdict([*links[:at], *pair, *links[at + 2 :]]), Break)


def test_content_has_one_text() -> None:
    """Whatever the order of its keys."""
    assert canonical({"b": 1, "a": "ä"}) == canonical({"a": "ä", "b": 1}) == '{"a":"ä","b":1}'
