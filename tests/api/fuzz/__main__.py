"""`make fuzz-api N=10000 SEED=0 DATABASE=sqlite`: so many requests, and what came of them."""

import argparse
import logging
import os
import sys
import tempfile
import time
from contextlib import nullcontext
from functools import partial

from tests.run import postgresql


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz-api", description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--only", default="", help="operations with this in their path")
    asked = parser.parse_args()
    server = postgresql() if asked.database == "postgresql" else nullcontext("")
    with tempfile.TemporaryDirectory(prefix="studio-fuzz-") as home, server as url:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "tests.settings", "STUDIO_HOME": home, "DATABASE_URL": url,
        }  # fmt: skip
        return _fuzzed(asked.requests, asked.seed, asked.database, asked.only)


def _fuzzed(requests: int, seed: int, database: str, only: str) -> int:
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from django.db import connection

    from tests.api.fuzz.sending import fuzzed

    connection.creation.create_test_db(verbosity=0)
    began = time.monotonic()
    try:
        report = fuzzed(requests, seed, only=only, tell=partial(print, flush=True))
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
    print(
        f"{report.sent:,} requests to {len(report.statuses)} operations on {database} in "
        f"{time.monotonic() - began:.0f} s, seed {seed}: {len(report.wrong):,} answers were wrong"
    )
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
