"""Tags of answers."""

from authproxy.caching.tags import LONGEST, MOST, tags_of


def test_tags_come_from_the_answer_and_from_its_route() -> None:
    """Separated by commas or spaces, each once, in lower case."""
    headers = [(b"cache-tag", b"Product-1, product-2"), (b"surrogate-key", b"a product-1"), (b"x", b"y")]

    assert tags_of(headers, ("Shop",)) == ("shop", "product-1", "product-2", "a")
    assert tags_of([]) == ()


def test_what_could_not_be_purged_is_not_kept() -> None:
    """Tags are kept all or not at all."""
    assert tags_of([(b"cache-tag", b" ".join(b"%d" % n for n in range(MOST + 1)))]) is None
    assert tags_of([(b"cache-tag", b"x" * (LONGEST + 1))]) is None
