"""`make fuzz N=100000 SEED=0`: so many broken job files, and what the reader made of them."""

import argparse
import sys

from tests.fuzz.reading import MAX_MB, MAX_MS, fuzzed


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    report = fuzzed(asked.inputs, asked.seed)
    print(
        f"{report.inputs:,} inputs (seed {asked.seed}): {report.read:,} read, "
        f"{report.refused:,} refused with {len(report.messages):,} distinct problems.\n"
        f"Slowest {report.slowest_ms:.1f} ms, peak {report.peak_mb:.1f} MB above the start "
        f"(at most {MAX_MS} ms and {MAX_MB} MB)."
    )
    for failure in report.failures:
        print(f"FAILED {failure}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
