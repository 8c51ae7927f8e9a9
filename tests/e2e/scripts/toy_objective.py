"""What a toy trial logs, by its parameters and seed: for the script, and for the tests."""

import zlib


def curve(x: float, seed: int = 0, reports: int = 1) -> "list[float]":
    """The value of every report, falling to the last one, which is the trial's result."""
    noise = zlib.crc32(f"{seed}:{x!r}".encode()) / 2**32
    result = (x - 0.3) ** 2 + 0.1 * noise
    return [result * (1 + left / reports) for left in reversed(range(reports))]
