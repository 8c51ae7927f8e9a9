"""`python -m sweeps.client`."""

import sys

from sweeps.client.shell import main

sys.exit(main(sys.argv[1:]))
