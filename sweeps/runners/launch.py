"""The script that LocalRunner starts: `python -I -S launch.py <spool>`.

Isolated (-I) and without site-packages (-S), so it starts in some 30 ms and nothing in the
environment or the working folder can change what it imports. Hence the path by hand.
"""

import sys

# Last on the path: nothing in the project may hide a module of the standard library.
sys.path.append(__file__.rsplit("/", 3)[0])

from sweeps.runners.guard import detach

if __name__ == "__main__":
    detach(sys.argv[1])
