"""What a caller may do, and how an upstream is told who calls."""

from hypothesis import given
from hypothesis import strategies as st

from authproxy.identity import Identity

ROLES = {"analyst": frozenset({"read", "export"}), "writer": frozenset({"write"})}
WORDS = st.frozensets(st.sampled_from(["read", "write", "export", "admin"]))


def person(**values) -> Identity:
    return Identity(method="jwt", consumer="ada", **values)


def test_scopes_are_its_own_and_those_of_its_roles() -> None:
    ada = person(direct=frozenset({"chat"}), roles=frozenset({"analyst", "unknown"}))

    assert ada.scopes(ROLES) == {"chat", "read", "export"}


def test_ceiling_takes_away_and_never_adds() -> None:
    ada = person(
        direct=frozenset({"chat"}), roles=frozenset({"analyst"}), ceiling=frozenset({"read", "admin"})
    )

    assert ada.scopes(ROLES) == {"read"}


@given(direct=WORDS, roles=st.frozensets(st.sampled_from(["analyst", "writer"])), ceiling=WORDS)
def test_nobody_has_more_than_without_a_ceiling(direct, roles, ceiling) -> None:
    narrowed = person(direct=direct, roles=roles, ceiling=ceiling).scopes(ROLES)

    assert narrowed <= person(direct=direct, roles=roles).scopes(ROLES)
    assert narrowed <= ceiling


def test_another_table_of_roles_counts_at_once() -> None:
    ada = person(roles=frozenset({"analyst"}))
    before = ada.scopes(ROLES)

    assert before == {"read", "export"}
    assert ada.scopes({"analyst": frozenset({"read"})}) == {"read"}
    assert dict(ada.fields({"analyst": frozenset()})).get(b"x-user-scopes") is None


def test_upstream_is_told_what_is_known() -> None:
    ada = person(user_id="7", name="ada", roles=frozenset({"writer", "analyst"}))

    assert dict(ada.fields(ROLES)) == {
        b"x-user-id": b"7",
        b"x-user-name": b"ada",
        b"x-user-roles": b"analyst,writer",
        b"x-user-scopes": b"export read write",
        b"x-consumer": b"ada",
        b"x-auth-method": b"jwt",
    }


def test_service_has_no_user() -> None:
    names = [name for name, _ in Identity(method="api_key", kind="service", consumer="robot").fields({})]

    assert names == [b"x-consumer", b"x-auth-method"]


@given(st.text(min_size=1))
def test_no_value_can_break_out_of_its_field(text: str) -> None:
    values = [
        value for _, value in person(name=text, roles=frozenset({text}), direct=frozenset({text})).fields({})
    ]

    for value in values:
        assert value.isascii()
        assert not any(byte < 0x20 or byte == 0x7F for byte in value)
    assert values[1].count(b",") == 0, "a comma in a role's name would be two roles"


def test_roles_and_scopes_hold_their_separators_encoded() -> None:
    ada = person(roles=frozenset({"a,b"}), direct=frozenset({"c d"}))

    assert dict(ada.fields({}))[b"x-user-roles"] == b"a%2Cb"
    assert dict(ada.fields({}))[b"x-user-scopes"] == b"c%20d"


def test_spaces_at_the_ends_are_not_lost_on_the_way() -> None:
    """Whoever reads a field trims it: somebody whom a provider calls " admin" must not become admin."""
    ada = person(name=" admin", roles=frozenset({"a b", "root "}))

    assert dict(ada.fields({}))[b"x-user-name"] == b"%20admin"
    assert dict(ada.fields({}))[b"x-user-roles"] == b"a b,root%20"


def test_what_it_says_of_itself_holds_no_secret() -> None:
    ada = person(session="5f1c", key_id=3, name="ada")

    assert "5f1c" not in repr(ada)
    assert ada.as_json({}) == {
        "consumer": "ada",
        "kind": "user",
        "user_id": None,
        "name": "ada",
        "roles": [],
        "scopes": [],
        "plan": None,
        "staff": False,
        "method": "jwt",
        "provider": None,
    }
