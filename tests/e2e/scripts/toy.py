"""A trial of about 50 ms whose result is known beforehand: `toy.py --x 0.5 [--NAME VALUE ...]`.

--seed N       shifts the objective
--reports N    so many values of loss, the last one the best
--seconds S    spread over the reports
--exit N       the exit code at the end
--failures N   the first N attempts end with exit code 1, before any report
--mischief M   something bad instead of an orderly end, see mischief.py
"""

import os
import sys
import time

from toy_objective import curve
from tracked import log


def main(words: "list[str]") -> None:
    """Report, then end as told."""
    options = {name.lstrip("-"): value for name, value in zip(words[::2], words[1::2], strict=True)}
    if int(os.environ["SWEEP_ATTEMPT"]) <= int(options.get("failures", 0)):
        raise SystemExit("one of the failures that were asked for")
    reports, seconds = int(options.get("reports", 1)), float(options.get("seconds", 0))
    values = curve(float(options["x"]), int(options.get("seed", 0)), reports)
    for step, value in enumerate(values):
        time.sleep(seconds / reports)
        log("loss", value, step)
    if "mischief" in options:
        import mischief

        getattr(mischief, options["mischief"])()
    sys.exit(int(options.get("exit", 0)))


if __name__ == "__main__":
    main(sys.argv[1:])
