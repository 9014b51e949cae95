"""The same file is the same text: saving a form without a change changes nothing."""

import gzip
from base64 import b64decode

from routing.descriptortexts import packed


def test_packed() -> None:
    """And it can be unpacked by anybody."""
    assert packed(b"abc" * 100) == packed(b"abc" * 100)
    assert gzip.decompress(b64decode(packed(b"abc"))) == b"abc"
