"""The toy trial and the checker: what it logs is what the oracle says, value by value."""

import pytest

from tests.e2e import jobs, journal
from tests.e2e.invariants import check
from tests.e2e.studios import Studio


def test_every_value_of_a_sweep_of_toys_is_the_oracles(studio: Studio) -> None:
    words = ("--reports", "3", "--seed", "11", "--seconds", "0.1")
    name = studio.submit(jobs.toy(6, 4, *words))
    sweep = studio.wait_final(name)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 6})
    check(studio, name, 6, curve=jobs.toy_curve(11, 3))
    with pytest.raises(AssertionError, match="I2: trial 0"):
        check(studio, name, 6, curve=jobs.toy_curve(12, 3))
    with pytest.raises(AssertionError, match="I1"):
        check(studio, name, 7)


LOG = """\
engine   | Traceback (most recent call last):
queue    | WARNING sweeps.tasks: run 1 waits for tracking: nobody answers
engine   |   File "steps.py", line 3, in poll
engine   |     raise OperationalError("gone")
engine   | django.db.utils.OperationalError: database is locked
engine   | went on
web      | ERROR django.request: Internal Server Error: /x
"""


def test_the_log_of_a_studio_is_read_part_by_part() -> None:
    error = "engine: django.db.utils.OperationalError: database is locked"
    assert list(journal.errors(LOG)) == [error]
    assert len(journal.unaccounted(LOG)) == 2
    assert journal.unaccounted(LOG, ["database is locked"]) == [
        "web      | ERROR django.request: Internal Server Error: /x"
    ]
