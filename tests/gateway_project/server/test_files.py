"""The limit of open files."""

import resource
from collections.abc import Iterator

import pytest

from gateway_project.server.files import raise_limit


@pytest.fixture(autouse=True)
def limits() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_soft_limit_is_raised(limits: tuple[int, int]) -> None:
    """As far as the hard one, and told."""
    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    raised = raise_limit()

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (raised, hard)
    assert raised > 300


def test_a_limit_that_cannot_be_raised_stays(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int]
) -> None:
    """Some systems refuse; the number that holds is told all the same."""

    def refuse(*_arguments: object) -> None:
        raise ValueError("not allowed")

    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    with monkeypatch.context() as patched:
        patched.setattr(resource, "setrlimit", refuse)

        assert raise_limit() == 300


@pytest.mark.parametrize(
    ("soft", "hard", "raised"),
    [
        (1024, 4096, 4096),
        (1024, resource.RLIM_INFINITY, 1_048_576),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 1_048_576),
        (2_000_000, 2_000_000, 2_000_000),
        (512, 512, 512),
    ],
)
def test_how_far(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: int) -> None:
    """Never lowered, never beyond what systems accept."""
    with monkeypatch.context() as patched:
        patched.setattr(resource, "getrlimit", lambda _which: (soft, hard))
        patched.setattr(resource, "setrlimit", lambda _which, _limits: None)

        assert raise_limit() == raised
