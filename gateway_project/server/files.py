"""I: How many files, and so connections, this process and its children may have open."""

import resource

ENOUGH = 4096
_MOST = 1_048_576  # some systems refuse "unlimited", and nobody needs more


def raise_limit() -> int:
    """Raises the soft limit, which is often 1024, as far as the system lets; what it is then.

    Beyond it new connections are reset without a word. A request takes two: the client's and the upstream's.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
