"""A slice of `make fuzz-api`: whatever is asked, the answer is one that the document tells of."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from studio.models import ApiToken
from sweeps.api import shapes
from sweeps.api.auth import Limited
from tests.api.fuzz.sending import fuzzed

pytestmark = [
    pytest.mark.django_db(transaction=True),  # an answer may not hang on a test's transaction
    pytest.mark.usefixtures("quiet"),
    pytest.mark.timeout(240),  # some seconds of processor time, on a busy machine
]


@pytest.fixture
def quiet() -> Iterator[None]:
    """Django logs every refusal."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_made_up_requests_are_answered_as_the_document_says() -> None:
    report = fuzzed(150, seed=1)
    assert not report.wrong, "\n".join(report.wrong)
    told = "\n".join(map(report.line, report.statuses))
    assert report.sent >= 150, told
    # Requests that find nothing would prove little.
    assert all(min(found) < 300 for found in report.statuses.values()), told
    assert report.good > report.sent / 3, told


def test_a_failing_operation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(shapes, "revisions_out", broken)
    report = fuzzed(10, seed=1, only="/revisions")
    assert any("revisions" in text and "Server error" in text for text in report.wrong)


def test_an_operation_that_takes_any_token_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Limited, "authenticate", lambda *_: ApiToken.objects.latest("pk"))
    report = fuzzed(10, seed=1, only="/revisions")
    assert any("invalid auth" in text.lower() for text in report.wrong), report.wrong
