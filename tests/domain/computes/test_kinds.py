"""Every kind of compute has settings, a runner and a word in the table of computes."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from studio.models.compute import ComputeKind
from sweeps.domain.computes.kinds import KINDS, settings_of
from sweeps.domain.computes.settings import Field, Settings
from sweeps.domain.problems import InvalidInput
from sweeps.runners import registry


def test_table_runners_and_settings_know_the_same_kinds():
    assert set(KINDS) == set(ComputeKind.values) == set(registry.KINDS)
    assert {name: kind.title for name, kind in KINDS.items()} == dict(ComputeKind.choices)


def whole(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("Write a whole number.")
    return int(text)


@dataclass(frozen=True, slots=True)
class Made(Settings):
    FIELDS: ClassVar = (
        Field("queue", "Queue", "", str),
        Field("cores", "Cores", "", whole),
    )
    queue: str = ""
    cores: int | None = None


def test_what_is_set_is_read_and_told_again():
    read = Made.read({"queue": " long ", "cores": "4"})
    assert (read.queue, read.cores) == ("long", 4)
    assert read.doc() == {"queue": "long", "cores": 4}
    assert Made.read(read.doc()) == read
    assert Made.read({"queue": "", "cores": None}) == Made()
    assert Made().doc() == {}


@pytest.mark.parametrize(
    ("doc", "fields"),
    [
        ({"cores": "many"}, {"settings.cores"}),
        ({"cores": True}, {"settings.cores"}),
        ({"queue": ["a"]}, {"settings.queue"}),
        ({"queue": "a\0b"}, {"settings.queue"}),
        ({"colour": "red", "cores": "x"}, {"settings.colour", "settings.cores"}),
    ],
)
def test_each_setting_that_is_wrong_is_told_by_its_name(doc, fields):
    with pytest.raises(InvalidInput) as told:
        Made.read(doc)
    assert {problem.field for problem in told.value.problems} == fields


def test_this_machine_has_no_settings_and_no_address():
    assert settings_of("local", {}).address == ""
    with pytest.raises(InvalidInput):
        KINDS["local"].settings.read({"queue": "long"})


def test_what_was_stored_under_other_rules_stops_nothing():
    assert Made.stored({"queue": "long", "cores": "x", "colour": "red"}) == Made("long")
    assert settings_of("local", {"queue": "long"}) == Settings()
