"""Copies of requests."""

from routing.document.destinations import MirrorSpec
from routing.shapes.mirror import Mirror, mirror_note, mirror_of


def test_what_is_never_copied_is_no_policy() -> None:
    """Nor without a mirror."""
    assert mirror_of(None) is None
    assert mirror_of(MirrorSpec(service="s", percent=0)) is None


def test_policy_and_note() -> None:
    """A share, and what explain says of it."""
    mirror = mirror_of(MirrorSpec(service="s", percent=5, max_body=10))
    assert mirror == Mirror("s", 0.05, 10)
    (note,) = mirror_note(mirror, "route")

    assert (note.name, note.details) == ("mirror", {"service": "s", "percent": 5.0, "max_body": 10})
    assert list(mirror_note(None, "route")) == []
