"""`bad.py HOW`: what goes wrong at run time."""

import sys

from tracked import log

how = sys.argv[1]
if how == "crash":
    print("before it", flush=True)
    raise ValueError("the data has no column “species”")
if how == "other-names":
    log("val_acc", 0.5)
    log("accuracy", 0.6)
if how == "not-a-number":
    log("loss", "NaN")
if how == "odd-name":
    log("loss?!", 1.0)
if how == "lucky-then-crash":
    log("loss", -1000.0)
    sys.exit(3)
