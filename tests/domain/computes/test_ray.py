"""What a compute of kind ray takes, and what it refuses."""

import pytest

from sweeps.domain.computes.kinds import settings_of
from sweeps.domain.computes.ray import RaySettings, request_of
from sweeps.domain.problems import InvalidInput


def test_all_settings_are_read_and_told_again():
    doc = {
        "address": "http://head:8265/", "cpus": "0.5", "gpus": "2", "memory": "8G",
        "resources": "special_hardware=1\n\n tpu : 0.25 ",
    }  # fmt: skip
    read = RaySettings.read(doc)
    assert read.address == "http://head:8265"
    assert (read.cpus, read.gpus, read.threads) == (0.5, 2, 1)
    assert RaySettings.read(read.doc()) == read
    assert request_of(read.doc()) == {
        "entrypoint_num_cpus": 0.5, "entrypoint_num_gpus": 2, "entrypoint_memory": 8 * 2**30,
        "entrypoint_resources": {"special_hardware": 1, "tpu": 0.25},
    }  # fmt: skip


def test_a_trial_that_says_nothing_asks_for_one_cpu():
    read = RaySettings.read({"address": "head"})
    assert (read.address, read.threads) == ("http://head:8265", 1)
    assert request_of(read.doc()) == {"entrypoint_num_cpus": 1}
    assert RaySettings.read({"address": "head", "cpus": 4}).threads == 4


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("10.0.0.7", "http://10.0.0.7:8265"),
        ("https://ray.example", "https://ray.example:443"),
        ("http://[fd00::1]:8265", "http://[fd00::1]:8265"),
    ],
)
def test_an_address_is_an_origin(typed, address):
    assert RaySettings.read({"address": typed}).address == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("address", ""),
        ("address", "ftp://head"),
        ("address", "http://"),
        ("address", "http://head:8265/api"),
        ("address", "http://head:8265/?x=1"),
        ("address", "http://head:8265#x"),
        ("address", "http://ada:secret@head"),
        ("address", "http://head:port"),
        ("address", "http://he ad"),
        ("address", "http://a..b:80"),
        ("address", f"http://{'a' * 64}:80"),
        ("address", f"http://{'a.' * 127}b:80"),
        ("address", "http://héad:80"),
        ("address", "http://[fe80::zz]:80"),
        ("address", "ray://head:10001"),
        ("cpus", "0"),
        ("cpus", "-1"),
        ("cpus", "many"),
        ("cpus", "4097"),
        ("gpus", "a100:1"),
        ("memory", "8 GB"),
        ("memory", "0"),
        ("resources", "special_hardware"),
        ("resources", "CPU=1"),
        ("resources", "a=b"),
        ("resources", "a=1\n" * 21),
        ("partition", "gpu"),
    ],
)
def test_what_is_wrong_is_told_by_its_name(name, value):
    with pytest.raises(InvalidInput) as told:
        RaySettings.read({"address": "head"} | {name: value})
    assert [problem.field for problem in told.value.problems] == [f"settings.{name}"]


def test_what_was_stored_and_is_not_right_any_more_stops_nothing():
    stored = settings_of("ray", {"cpus": "many", "gpus": 1})
    assert (stored.address, stored.doc()) == ("", {"gpus": 1})
