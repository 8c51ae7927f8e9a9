"""Whole documents, fine and slightly broken: read as what they say, or refused with a place."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.spec import reader, yaml_text
from sweeps.spec.reader import read_job
from tests.fuzz.documents import fine, searched, spoiled

ALWAYS_THE_SAME = settings(
    max_examples=60, derandomize=True, deadline=None, database=None,
    phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip


def problems(doc: Any) -> Sequence[Problem]:
    """What is wrong with a document; nothing if it is fine."""
    try:
        read_job(doc)
    except InvalidInput as error:
        return error.problems
    return ()


def test_files_are_read_and_written_alike_or_refused_where_they_are_wrong() -> None:
    report = searched(250, seed=3)
    assert not report.failures, "\n\n".join(report.failures)
    assert report.inputs == report.read + report.refused
    # Both ends are reached, and much of what can be wrong.
    assert report.read > 35
    assert len(report.messages) > 35


@ALWAYS_THE_SAME
@given(spoiled())
def test_documents_are_refused_by_their_keys(doc: Any) -> None:
    # Of the document as a whole there is little to say.
    whole = ("A sweep job is", "There are")
    assert all(one.field or one.message.startswith(whole) for one in problems(doc))


@ALWAYS_THE_SAME
@given(fine)
def test_fine_documents_are_read(doc: Any) -> None:
    job = read_job(doc)
    assert job.command.strip()
    assert job.search_space.parameters


def test_the_report_tells_what_is_read_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader.checks, "tags", lambda found, _: {**found, f"t{len(found)}": "x"})
    assert any("tags is read as" in text for text in searched(30, seed=3).failures)


def test_the_report_tells_of_problems_without_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(text: str) -> None:
        raise InvalidInput([Problem("", "Wrong.")])

    monkeypatch.setattr(yaml_text, "load", lost)
    assert any("a problem at line None" in text for text in searched(10, seed=3).failures)
