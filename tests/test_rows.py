"""What the stage on PostgreSQL leaves out, by tests that would be left out of it or not."""

import pytest

from tests.rows import may_differ


def test_what_reads_no_row_is_left_out(request: pytest.FixtureRequest, tmp_path: object) -> None:
    assert not may_differ(request.node)


def test_a_fixture_of_a_fixture_counts(request: pytest.FixtureRequest, sweep: object) -> None:
    assert may_differ(request.node)


@pytest.mark.django_db(transaction=True)
def test_a_mark_counts(request: pytest.FixtureRequest) -> None:
    assert may_differ(request.node)


@pytest.mark.once
def test_what_says_the_same_everywhere_is_left_out(
    request: pytest.FixtureRequest, sweep: object
) -> None:
    assert not may_differ(request.node)
