"""P: Texts of clients and operators as every database takes them."""


def db_text(text: str, length: int) -> str:
    """No NUL (PostgreSQL has no place for it), no lone surrogates (no encoding has), no longer than its column."""
    clean = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return clean if len(clean) <= length else f"{clean[: length - 1]}…"
