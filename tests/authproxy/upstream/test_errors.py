"""Tests of the failures and what they mean."""

import inspect

import httpx
import pytest

from authproxy.upstream import errors
from resilience.outcomes import Outcome

MEANING = {
    errors.StaleConnection: Outcome.STALE,
    errors.NameResolutionFailed: Outcome.DNS_ERROR,
    errors.TlsFailed: Outcome.TLS_ERROR,
    errors.DeadlineExceeded: Outcome.TOTAL_TIMEOUT,
    errors.ConnectionLost: Outcome.RESET,
    errors.BodyTimeout: Outcome.BODY_TIMEOUT,
    errors.BodyBroken: Outcome.BODY_BROKEN,
    errors.RequestBodyFailed: Outcome.CLIENT_BODY,
    httpx.ConnectError: Outcome.CONNECT_REFUSED,
    httpx.ConnectTimeout: Outcome.CONNECT_TIMEOUT,
    httpx.PoolTimeout: Outcome.POOL_TIMEOUT,
    httpx.ReadTimeout: Outcome.READ_TIMEOUT,
    httpx.WriteTimeout: Outcome.WRITE_TIMEOUT,
    httpx.ReadError: Outcome.RESET,
    httpx.WriteError: Outcome.RESET,
    httpx.CloseError: Outcome.RESET,
    httpx.RemoteProtocolError: Outcome.PROTOCOL_ERROR,
    httpx.LocalProtocolError: Outcome.GATEWAY_BUG,
    httpx.UnsupportedProtocol: Outcome.GATEWAY_BUG,
}


@pytest.mark.parametrize("kind", MEANING)
def test_each_failure_means_one_outcome(kind: type[httpx.TransportError]) -> None:
    """The most specific entry of the table wins."""
    assert errors.outcome_of(kind("x")) is MEANING[kind]


def test_what_no_transport_raises_is_our_bug() -> None:
    """An exception that is not of httpx is none of the upstream's doing."""
    assert errors.outcome_of(ZeroDivisionError()) is Outcome.GATEWAY_BUG


def test_the_table_is_most_specific_first() -> None:
    """No entry hides behind one of its base classes."""
    seen: list[type[Exception]] = []
    for kind, _ in errors._OUTCOMES:
        assert not any(issubclass(kind, earlier) for earlier in seen)
        seen.append(kind)


def test_every_failure_of_ours_is_a_transport_error_with_a_meaning() -> None:
    """Callers catch httpx.TransportError; none may slip through to the default."""
    ours = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == errors.__name__
    ]

    assert set(ours) <= MEANING.keys()
    assert all(issubclass(kind, httpx.TransportError) for kind in ours)


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (errors.BodyTimeout("x"), Outcome.BODY_TIMEOUT),
        (errors.BodyBroken("x"), Outcome.BODY_BROKEN),
        (errors.RequestBodyFailed("x"), Outcome.CLIENT_BODY),
        (httpx.ReadError("x"), Outcome.BODY_BROKEN),
    ],
)
def test_inside_a_body_everything_but_silence_is_a_break(
    failure: httpx.TransportError, outcome: Outcome
) -> None:
    """The answer has begun: it can only be aborted. The client's own body is not the upstream's fault."""
    assert errors.body_outcome_of(failure) is outcome


def test_progress_travels_with_the_failure() -> None:
    """And is nothing where nobody said so."""
    progress = errors.Progress(reused=True, wrote=True, response_started=False)

    assert errors.progress_of(errors.with_progress(httpx.ReadError("x"), progress)) is progress
    assert errors.progress_of(ValueError()) == errors.NOTHING_SENT
