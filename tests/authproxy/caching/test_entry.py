"""Stored answers."""

from authproxy.caching.entry import VALIDATED_S, Entry
from authproxy.caching.freshness import Times


def test_an_entry_is_kept_while_it_is_of_use() -> None:
    """As long as it may be served, and longer if it can be asked about."""
    times = Times(0, 60, while_revalidate_s=5, if_error_s=30)

    assert Entry(200, [], b"", times, route="r").kept_until == 90
    assert Entry(200, [(b"etag", b'"a"')], b"", times, route="r").kept_until == 60 + VALIDATED_S
