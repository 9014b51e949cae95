"""Which core each part runs on."""

from benchmarks import cores
from benchmarks.cores import Cores


def test_two_cores_part_the_proxy_from_everything_else() -> None:
    """The proxy is alone; generator and upstream share the other core."""
    assert cores.plan([1, 0]) == Cores(proxy=1, load=0, upstream=0)


def test_third_core_is_the_upstreams() -> None:
    """With three or more, each part has its own."""
    assert cores.plan(range(4)) == Cores(proxy=3, load=0, upstream=1)


def test_one_core_pins_nothing() -> None:
    """A single core cannot be divided; commands stay as they are."""
    assert cores.plan([0]).proxy is None
    assert cores.pinned(["a", "b"], None) == ("a", "b")
    assert cores.pinned(["a"], 3) == ("taskset", "--cpu-list", "3", "a")
