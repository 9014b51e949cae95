"""What is masked of header fields and queries, and what stays readable."""

import pytest

from observability.requests.masking import MASK, MOST_FIELDS, Masking, is_masked


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        (b"authorization", b"Bearer abc", f"Bearer {MASK}"),
        (b"authorization", b"abc def", MASK),
        (b"cookie", b"a=1", MASK),
        (b"x-api-key", b"k", MASK),
        (b"x_api_key", b"k", MASK),
        (b"x-auth-token", b"k", MASK),
        (b"x-hub-signature-256", b"k", MASK),
        (b"x-patient", b"k", MASK),
        (b"user-agent", b"curl", "curl"),
        (b"idempotency-key", b"7", MASK),
        (b"referer", b"https://app.test/back?code=abc&page=2", f"https://app.test/back?{MASK}"),
        (b"referer", b"https://app.test/list?page=2", "https://app.test/list?page=2"),
        (b"x-original-url", b"/reset?token=abc", f"/reset?{MASK}"),
        (b"accept", b"a" * 600, "a" * 499 + "…"),
    ],
)
def test_fields(name: bytes, value: bytes, kept: str) -> None:
    """By their name."""
    assert Masking(frozenset({"x-patient"})).fields([(name, value)]) == [(name.decode(), kept)]


def test_fields_are_bounded() -> None:
    """A client may send very many."""
    assert len(Masking().fields([(b"a", b"1")] * 500)) == MOST_FIELDS


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"", ""),
        (b"page=2&sort=name", "page=2&sort=name"),
        (b"access_token=abc&page=2", f"access_token={MASK}&page=2"),
        (b"api_key=abc", f"api_key={MASK}"),
        (b"%74oken=abc", f"%74oken={MASK}"),
        (b"token", "token"),
        (b"token=", "token="),
        (b"ssn=1&a=\xff", f"ssn={MASK}&a=\xff"),
    ],
)
def test_queries(raw: bytes, kept: str) -> None:
    """Only values go; what is not sent is not masked."""
    assert Masking(frozenset({"ssn"})).query(raw) == kept


def test_a_mask_is_recognised() -> None:
    """So that whoever judges the request again knows what it does not know."""
    assert is_masked(f"Bearer {MASK}")
    assert not is_masked("Bearer")
