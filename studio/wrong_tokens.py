"""Bearer tokens that nobody has: an address that keeps sending such is told to wait.

Only wrong ones are counted and refused. Tokens have 256 random bits, so whoever guesses one has no
more luck by guessing often; good ones from the same address (an office, or all trials of this
machine) go on, whatever somebody beside them sends.
"""

from django.conf import settings
from django.http import HttpRequest

from studio.local_users import counted_for
from studio.rates import Buckets, Left

buckets = Buckets()


def counted(request: HttpRequest) -> Left | None:
    """Count a request whose token is wrong; what is left to its address, None without a limit."""
    limit = settings.STUDIO_WRONG_TOKEN_RATE
    return buckets.take(counted_for(request), limit) if limit else None


def said(left: Left) -> str:
    """For whoever has to wait."""
    return f"More than {left.limit:,} wrong tokens a minute; go on in {left.retry_s} s."
