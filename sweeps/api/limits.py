"""How many requests each API token has left; by its id."""

from studio.rates import Buckets

buckets = Buckets()
