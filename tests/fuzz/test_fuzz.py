"""A slice of `make fuzz`: broken job files are refused in words, quickly, whatever is wrong."""

import random

import pytest

from sweeps.spec import reader
from tests.fuzz.inputs import file_of
from tests.fuzz.reading import fuzzed


def test_broken_files_are_refused_in_words() -> None:
    report = fuzzed(1_000, seed=20)
    assert not report.failures, "\n".join(report.failures)
    assert report.inputs == report.read + report.refused == 1_000
    # The inputs reach far into the reader, and some are fine in the end.
    assert len(report.messages) > 60
    assert report.read > 10


def test_an_input_is_made_of_its_seed_alone() -> None:
    assert file_of(random.Random("1/7")) == file_of(random.Random("1/7"))
    assert file_of(random.Random("1/7")) != file_of(random.Random("1/8"))


def test_the_report_tells_what_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("deep")

    monkeypatch.setattr(reader.parts, "limits", broken)
    assert any("RecursionError: deep" in failure for failure in fuzzed(20, seed=1).failures)
