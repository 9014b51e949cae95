"""Uploaded descriptor sets: read, bounded, and refused with a reason."""

import gzip
from base64 import b64encode

import pytest

from routing import descriptors
from routing.descriptors import LARGEST_SET, BadDescriptors, files_of, methods_of
from routing.descriptortexts import packed
from tests.support.grpcserver import echo_file, echo_set


def test_a_set_names_its_methods() -> None:
    """Whether packed or not, and however the text is broken into lines."""
    plain = b64encode(echo_set()).decode()
    lines = "\n".join(plain[at : at + 76] for at in range(0, len(plain), 76))
    expected = {"echo.Echo": {"Say": False, "Count": False, "Collect": True, "Talk": True}}
    assert methods_of(plain) == methods_of(lines) == methods_of(packed(echo_set())) == expected
    assert len(files_of(plain)) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no base64!", "not base64"),
        (b64encode(b"\xff\xff\xff").decode(), "not a descriptor set"),
        ("", "no files"),
        (b64encode(b"\x1f\x8bnonsense").decode(), "not gzip"),
        (b64encode(gzip.compress(echo_set())[:-30]).decode(), "ends too early"),
        (packed(bytes(LARGEST_SET + 1)), "larger than"),
        (packed(b"\x0a\x00" * (descriptors.MOST_FILES + 1)), "more than"),
    ],
)
def test_what_is_no_set(text: str, said: str) -> None:
    """The reason is a sentence's end, for people. A bomb is not unpacked."""
    with pytest.raises(BadDescriptors, match=said):
        files_of(text)


def test_a_set_without_imports_or_services() -> None:
    """Is refused: nothing could be called by it."""
    file = echo_file()
    file.dependency.append("other.proto")
    with pytest.raises(BadDescriptors, match=r"other\.proto"):
        methods_of(packed(b"\x0a" + _sized(file.SerializeToString())))
    bare = echo_file()
    del bare.service[:]
    with pytest.raises(BadDescriptors, match="no services"):
        methods_of(packed(b"\x0a" + _sized(bare.SerializeToString())))


def _sized(data: bytes) -> bytes:
    size = len(data)
    return bytes((size & 0x7F | 0x80, size >> 7)) + data
