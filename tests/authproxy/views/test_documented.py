"""How endpoints are described."""

from authproxy.views.documented import operation_id


def test_operations_have_names_for_programs() -> None:
    """Made of what people read."""
    assert operation_id("Sign in") == "signIn"
    assert operation_id("List API keys") == "listApiKeys"
    assert operation_id("The caller's account") == "theCallerAccount"
