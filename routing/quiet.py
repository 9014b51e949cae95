"""I: The garbage collector kept out of the way of requests while a configuration is loaded and compiled.

A configuration of ten thousand routes is some hundred thousand long-lived objects. Making them would set off full
collections that stop the process for 60 to 250 ms each; once they are made, every later one would walk over them.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collections_paused() -> Iterator[None]:
    """No automatic collection inside. Reference counting goes on, and frees nearly everything by itself."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def settle() -> None:
    """Collects what is young (a few ms), then takes what is left out of all later collections.

    A snapshot has no reference cycles: when it is dropped, its memory is freed although it was frozen.
    """
    gc.collect(1)
    gc.freeze()
