"""The script that starts guards: `python -I -S launch.py [[--stay] SPOOL]`.

Without a spool it is the nursery, which forks guards on demand; with --stay it lasts as long as the
guard. Isolated (-I) and without
site-packages (-S), so that nothing in the environment or the working folder can change what it
imports. Hence the path by hand.
"""

import sys

# Last on the path: nothing in the project may hide a module of the standard library.
sys.path.append(__file__.rsplit("/", 3)[0])

from sweeps.runners import guard, nursery

if __name__ == "__main__":
    if sys.argv[1:2] == ["--stay"]:
        guard.stay(sys.argv[2])
    elif sys.argv[1:]:
        guard.detach(sys.argv[1])
    else:
        nursery.serve()
