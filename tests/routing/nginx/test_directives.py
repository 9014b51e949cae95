"""A tree of directives."""

from routing.nginx.directives import Directive


def test_those_of_a_name_directly_in_a_block() -> None:
    """Not what is further down."""
    inner = Directive("listen", ("2",), "f:3")
    server = Directive(
        "server", (), "f:1", (Directive("listen", ("1",), "f:2"), Directive("if", (), "f:3", (inner,)))
    )
    assert [each.args for each in server.all("listen")] == [("1",)]
