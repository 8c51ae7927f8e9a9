"""`patient.py X FILE`: waits for FILE, then logs (x - 0.3)^2 as loss."""

import os
import sys
import time

from tracked import log

x, file = float(sys.argv[1]), sys.argv[2]
while not os.path.exists(file):
    time.sleep(0.05)
log("loss", (x - 0.3) ** 2)
