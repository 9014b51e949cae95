"""Sessions: offered while they count, and to nobody else. Real handshakes, in memory."""

import ssl

import pytest

from authproxy.upstream.sessions import Sessions
from tests.support.upstreams import Certificates

CERTIFICATES = Certificates()
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def client() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=CERTIFICATES.ca)
    return context


def server(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = CERTIFICATES.server_context("inner.test")
    context.maximum_version = version
    return context


def connect(context: ssl.SSLContext, to: ssl.SSLContext) -> ssl.SSLObject:
    """A connection over which a question has been answered."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = context.wrap_bio(incoming, outgoing, server_hostname="inner.test")
    theirs = to.wrap_bio(outgoing, incoming, server_side=True)
    for side in (ours, theirs) * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    ours.write(b"question")
    assert theirs.read() == b"question"
    theirs.write(b"answer")
    assert ours.read() == b"answer"
    return ours


class Bench:
    """One client's sessions, and how it met servers."""

    def __init__(self, **bounds: float) -> None:
        self.sessions = Sessions(**bounds)  # type: ignore[arg-type]
        self.context = client()

    def meet(self, to: ssl.SSLContext, *, target: str = "a", now: float = 0.0) -> bool:
        """Whether a session was resumed."""
        tls = connect(self.sessions.offering(target, self.context, now), to)
        self.sessions.learn(target, tls, now)
        return bool(tls.session_reused)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_is_resumed_again_and_again(version: ssl.TLSVersion) -> None:
    """After one full handshake; nobody else's session is offered."""
    made, to = Bench(), server(version)

    assert [made.meet(to) for _ in range(4)] == [False, True, True, True]
    assert [made.meet(to, target="b") for _ in range(2)] == [False, True]
    assert len(made.sessions) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_counts_from_its_full_handshake(version: ssl.TLSVersion) -> None:
    """Resuming it does not make it younger, so a certificate is looked at every five minutes."""
    made, to = Bench(session_s=300.0), server(version)

    found = [made.meet(to, now=now) for now in (0.0, 100.0, 299.0, 300.0, 301.0, 599.0, 600.0)]
    assert found == [False, True, True, False, True, True, False]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_refuses_is_left_in_peace_for_a_while(version: ssl.TLSVersion) -> None:
    """Full handshakes work; copying sessions for nothing would make them dearer."""
    made = Bench(session_s=300.0)
    assert not made.meet(server(version))
    to = server(version)  # has other keys for its tickets
    assert not made.meet(to, now=1.0)
    assert made.sessions.offering("a", made.context, 2.0) is made.context
    assert [made.meet(to, now=now) for now in (2.0, 300.0, 301.0, 302.0)] == [False, False, False, True]


def test_connections_that_began_at_the_same_time_refuse_nothing() -> None:
    """Targets with different paths on one server are checked at once: the first session counts."""
    made, to = Bench(), server()
    for tls in [connect(made.sessions.offering("a", made.context, 0.0), to) for _ in range(3)]:
        made.sessions.learn("a", tls, 0.0)

    assert made.meet(to)


def test_a_server_without_tickets_gets_full_handshakes() -> None:
    """It is a server like any other."""
    made, to = Bench(), server()
    to.num_tickets = 0

    assert [made.meet(to) for _ in range(4)] == [False] * 4


def test_other_authorities_begin_anew() -> None:
    """A context that was made anew, from a file that was replaced, knows of no session."""
    made, to = Bench(), server()
    assert not made.meet(to)
    made.context = client()

    assert [made.meet(to) for _ in range(2)] == [False, True]


def test_what_is_forgotten_is_not_offered() -> None:
    """Neither after a failure nor when a target goes."""
    made, to = Bench(), server()
    for target in "abc":
        made.meet(to, target=target)
    made.sessions.forget("a")
    made.sessions.forget("unknown")
    made.sessions.keep_only({"a", "b"})

    assert len(made.sessions) == 1
    assert [made.meet(to, target=target) for target in "abc"] == [False, True, False]


def test_there_is_a_bound() -> None:
    """The oldest goes."""
    made, to = Bench(most=2), server()
    for target in "abc":
        made.meet(to, target=target)

    assert len(made.sessions) == 2
    assert [made.meet(to, target=target) for target in "bc"] == [True, True]
