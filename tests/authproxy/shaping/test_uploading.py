"""How much of an upload is held before it is sent."""

from types import SimpleNamespace
from typing import Any

import pytest

from authproxy.bodies import BodyRefused
from authproxy.shaping.uploading import MOST_HELD, Watch
from authproxy.shaping.uploads import FormCheck
from routing.mediatypes import MediaTypes
from routing.shapes.validation import UploadRules

RULES = UploadRules(MediaTypes(("image/png",)))
FIELD = b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'


def watch(*, is_enforced: bool = True) -> Watch:
    exchange: Any = SimpleNamespace(route=SimpleNamespace(name="r"), would=())
    return Watch(exchange, FormCheck(RULES, "b"), is_enforced=is_enforced)


def test_as_much_as_the_first_file_takes() -> None:
    """Or as much as may be held."""
    begun = watch()
    assert not begun.enough(FILE, False)
    assert not begun.enough(b"\x89PNG\r\n\x1a\n", False)
    assert begun.enough(b"\0" * 2000, False)

    endless = watch()
    assert not endless.enough(FIELD, False)
    assert endless.enough(b"a" * MOST_HELD, False)


def test_a_violation_ends_the_upload_where_it_is_enforced() -> None:
    """Else nobody looks any more."""
    with pytest.raises(BodyRefused):
        watch().see(b"nonsense", False)

    lenient = watch(is_enforced=False)
    lenient.see(b"nonsense", False)
    lenient.see(b"more", True)
    assert lenient.enough(b"", False)
