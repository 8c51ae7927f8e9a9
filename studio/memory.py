"""How much memory a process of ours may have for itself."""

import resource


def bound_memory(mib: int) -> None:
    """So many MiB for this process, 0: as many as there are. What needs more fails by MemoryError,
    alone, where the kernel would have ended the whole process, or another one. What threads reserve
    for their stacks counts."""
    if mib:
        _soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = mib * 2**20 if hard == resource.RLIM_INFINITY else min(mib * 2**20, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
