"""What a worker remembers of callers has a bound."""

import pytest

from authproxy.credentials import Presented, Source
from authproxy.identity import Identity
from authproxy.memory import Accepted, Memory


def entry(name: str, *, size: int = 10, provider: str = "") -> tuple[Source, Accepted]:
    source = (b"authorization", name.encode().ljust(size))
    identity = Identity(method="jwt", consumer=name, provider=provider)
    shown = Presented("jwt", b"secret", source, b"authorization")
    return source, Accepted(identity, shown, until=1.0, epoch=0, providers=())


@pytest.mark.parametrize("bound", [{"most": 3}, {"most_bytes": 30}, {"most": 3, "most_bytes": 1000}])
def test_oldest_goes_first_by_number_or_by_size(bound: dict[str, int]) -> None:
    """And is counted."""
    memory = Memory(**bound)
    entries = [entry(name) for name in "abcde"]
    for each in entries:
        memory.put(*each)

    assert [memory.find(source) is not None for source, _ in entries] == [False, False, True, True, True]
    assert (len(memory), memory.dropped) == (3, 2)


def test_one_that_comes_again_counts_once() -> None:
    """What was let go of makes room as well."""
    memory = Memory(most_bytes=30)
    for name in "aaaabab":
        memory.put(*entry(name))
    memory.forget(entry("a")[0])
    memory.forget(entry("a")[0])
    for name in "cd":
        memory.put(*entry(name))

    assert (len(memory), memory.dropped) == (3, 0)


def test_some_can_be_let_go_of_at_once() -> None:
    """By who they are."""
    memory = Memory()
    own, foreign = entry("a"), entry("b", provider="azure")
    for each in (own, foreign):
        memory.put(*each)
    memory.forget_those(lambda identity: identity.provider == "azure")

    assert (memory.find(own[0]), memory.find(foreign[0])) == (own[1], None)


def test_credential_is_kept_once() -> None:
    """As the entry's name, not in it again."""
    assert entry("a")[1].presented.value == b""
