"""What answers say to browsers for their users' safety."""

from authproxy.headers import SAFETY_FIELDS
from authproxy.securityfields import NO_FIELDS, completed, security_fields

ON = security_fields(is_on=True, promises_https=True)


def names(fields: object) -> set[bytes]:
    return {name for name, _ in fields}  # type: ignore[attr-defined]


def test_hsts_is_said_over_https_only_where_it_is_promised() -> None:
    """RFC 6797 section 7.2; a browser believes it for a year, for every port of the host."""
    hsts = b"strict-transport-security"
    unsure = security_fields(is_on=True, promises_https=False)

    assert hsts in names(ON.own["https"]) & names(ON.routed["https"])
    assert hsts not in names(ON.own["http"]) | names(ON.routed["http"])
    assert hsts not in names(unsure.own["https"]) | names(unsure.routed["https"])


def test_off_says_nothing() -> None:
    """Whatever the scheme is."""
    off = security_fields(is_on=False, promises_https=True)

    assert off is NO_FIELDS
    assert off.own["https"] == off.routed["https"] == off.own["http"] == off.routed["http"] == ()


def test_every_field_is_one_that_a_service_may_say_itself() -> None:
    """Those are looked for in its answer."""
    assert names(ON.routed["https"]) == SAFETY_FIELDS
    assert names(ON.own["https"]) == SAFETY_FIELDS


def test_completed_keeps_what_is_there() -> None:
    """Only what is missing is added."""
    there = [(b"x-frame-options", b"ALLOWALL"), (b"a", b"1")]

    assert completed(there, ON.own["http"]) == [
        *there,
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
    ]
    assert completed(there, ()) == there
    capitals = [
        (b"X-Frame-Options", b"DENY"),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"Referrer-Policy", b"x"),
    ]
    assert completed(capitals, ON.own["http"]) == capitals
