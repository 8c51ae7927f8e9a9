"""A script that becomes the command in its arguments."""

import os
import sys

if __name__ == "__main__":
    os.environ.pop("LC_CTYPE", None)  # Python's own, where no locale is set (PEP 538)
    os.execvp(sys.argv[1], sys.argv[1:])
