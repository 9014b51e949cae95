"""What variables stand for in a request on its way."""

from authproxy.identity import Identity
from authproxy.shaping.templates import Rewriting, changed, facts
from routing.rewrite import CompiledRewrite
from routing.shapes.templates import template_of
from routing.snapshot import HeaderOps
from tests.support.exchanges import exchange


def test_facts_are_the_requests() -> None:
    """Each is where the pipeline has it."""
    made = exchange(
        method="PUT", path="/a?b=1", headers=[(b"x-a", b"1"), (b"x-request-id", b"id-1")], client="192.0.2.7"
    )
    made.identity = Identity(method="jwt", user_id="7", consumer="ada")
    found = facts(made, 201)
    assert (found.method, found.scheme, found.host, found.path.forward) == (
        "PUT",
        "http",
        b"gateway.test",
        b"/a",
    )
    assert (found.client_ip, found.request_id, found.route, found.status) == ("192.0.2.7", b"id-1", "r", 201)
    assert found.caller is made.identity
    assert (b"x-a", b"1") in found.headers


def test_fields_come_after_those_that_are_always_the_same() -> None:
    """And only where there is something to say."""
    one, other = template_of("${request.method}"), template_of("${user.id}")
    assert one is not None
    assert other is not None
    ops = HeaderOps(
        remove=frozenset({b"x-b"}), add=((b"x-c", b"1"),), templates=((b"x-a", one), (b"x-b", other))
    )
    assert changed(exchange(), ops, [(b"x-b", b"forged")]) == [(b"x-c", b"1"), (b"x-a", b"GET")]


def test_a_request_of_which_nothing_can_be_made_is_refused() -> None:
    """Else the rewrite is the request's own."""
    made = exchange(path="/x")
    rewrite = CompiledRewrite("path", template=template_of("/u/${user.id}", of_path=True), is_templated=True)
    refusal = Rewriting(made.route, rewrite).step(made)
    assert refusal is not None
    assert (refusal.status, refusal.details) == (400, {"reason": "rewrite", "part": "path"})
    made.identity = Identity(method="jwt", user_id="a b")
    assert Rewriting(made.route, rewrite).step(made) is None
    assert made.rewritten.apply(b"/x") == b"/u/a%20b"
