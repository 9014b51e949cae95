"""P: The one error of the benchmarks: something that the person who ran them must know."""


class BenchmarkError(Exception):
    """A peer, the upstream or the load generator could not do its part; the message says what to do."""
