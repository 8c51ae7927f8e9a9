"""`quick.py X SECONDS [REPORTS]`: logs (x - 0.3)^2 as loss, spread over the time."""

import sys
import time

from tracked import log

x, seconds, reports = float(sys.argv[1]), float(sys.argv[2]), int((sys.argv[3:] or ["1"])[0])
for step in range(reports):
    time.sleep(seconds / reports)
    log("loss", (x - 0.3) ** 2 + (reports - 1 - step), step)
print("done", x)
