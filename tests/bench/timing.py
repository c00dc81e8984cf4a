"""One way to time a call, for all benchmarks."""

import time


def seconds(work, times: int) -> float:
    """Best time of one call, after one call to warm up."""
    work()
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best
