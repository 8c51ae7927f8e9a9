"""How busy the machine is: what the engine keeps of it, and what pages draw."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from sweeps.charts.gauge import area
from sweeps.engine import gauges as engine
from sweeps.engine.gauges import Gauges, GpuWatch, devices
from sweeps.models import MachineSample
from sweeps.queries.machine import Usage, machine
from sweeps.services.machine import KEPT, keep_sample
from sweeps.views import gauges

GB = 2**30


@pytest.fixture
def clock(monkeypatch):
    """The engine's clock, by hand."""
    found = SimpleNamespace(now=100.0)
    monkeypatch.setattr(engine, "time", SimpleNamespace(monotonic=lambda: found.now))
    return found


def test_the_engine_keeps_one_sample_per_period(db, clock, now):
    watch = Gauges(measure=lambda: Usage(40.0, GB, 4 * GB), gpus=list)
    for seconds in (0, 1, 4.9, 5, 7, 10):
        clock.now = 100.0 + seconds
        watch.look(now + timedelta(seconds=seconds))
    # The first look only begins: the processor's use is a matter of time.
    assert [row.at for row in MachineSample.objects.order_by("at")] == [
        now + timedelta(seconds=5), now + timedelta(seconds=10),
    ]  # fmt: skip
    assert MachineSample.objects.values_list("cpu_percent", "memory_used").first() == (40.0, GB)


def test_samples_stay_for_minutes_only(db, now):
    for minutes in range(20):
        keep_sample(1.0, 1, [], now + timedelta(minutes=minutes))
    oldest = MachineSample.objects.order_by("at").first()
    assert oldest.at >= now + timedelta(minutes=19) - KEPT
    assert MachineSample.objects.count() == 13


class Nvml:
    """Two cards, the second one broken."""

    class NVMLError(Exception):
        pass

    nvmlDeviceGetCount = staticmethod(lambda: 2)
    nvmlDeviceGetHandleByIndex = staticmethod(lambda index: index)
    nvmlDeviceGetMemoryInfo = staticmethod(lambda _: SimpleNamespace(used=GB, total=8 * GB))

    @classmethod
    def nvmlDeviceGetUtilizationRates(cls, index):
        if index:
            raise cls.NVMLError
        return SimpleNamespace(gpu=97, memory=12)


def test_a_card_that_does_not_answer_hides_no_other():
    assert devices(Nvml) == [{"percent": 97.0, "memory_used": GB, "memory_total": 8 * GB}]


def test_without_a_driver_no_card_is_known_and_nothing_fails(monkeypatch):
    pauses = []
    watch = GpuWatch(pause=pauses.append)
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)  # not even installed
    watch._watch()
    assert watch.latest() == []
    assert pauses == []


def test_what_a_driver_said_long_ago_is_not_told(monkeypatch, clock):
    def pause(_seconds):
        raise StopIteration

    monkeypatch.setattr(engine, "_driver", lambda: Nvml)
    watch = GpuWatch(pause=pause)
    watch._begun = True
    with pytest.raises(StopIteration):
        watch._watch()
    assert len(watch.latest()) == 1
    clock.now += 60
    assert watch.latest() == []


def test_the_present_is_the_newest_sample_unless_it_is_old(db, tmp_path):
    now = timezone.now()
    card = {"percent": 50.0, "memory_used": GB, "memory_total": 8 * GB}
    keep_sample(33.0, GB, [card], now - timedelta(seconds=4))
    found = machine(tmp_path, now)
    assert (found.cpu_percent, found.memory_used, len(found.gpus)) == (33.0, GB, 1)
    assert [past.gpu_percent for past in found.past] == [50.0]
    later = machine(tmp_path, now + timedelta(seconds=30))
    assert later.gpus == ()
    assert 0 < later.memory_used < later.memory_total
    assert len(later.past) == 1, "what was, stays drawn"


def test_gauges_have_a_tile_for_cards_only_where_there_are_any(db, settings, now):
    settings.STUDIO_MIN_FREE_MB = 500
    names = [gauge.name for gauge in gauges.gauges(now)]
    assert names == ["CPU", "Memory", "Disk of the studio"]
    card = {"percent": 50.0, "memory_used": GB, "memory_total": 8 * GB}
    keep_sample(33.0, GB, [card, card | {"percent": 100.0}], now)
    cpu, _, gpu, disk = gauges.gauges(now)
    assert cpu.value == "33 %"
    assert (gpu.value, gpu.limit) == ("75 %", "2 GPUs, 2.00 GiB of 16.0 GiB")
    assert gpu.note == "each: 50 %, 100 %"
    assert disk.note == "all sweeps pause below 524 MB"


def test_only_a_limit_that_acts_is_amber(db, settings, now):
    settings.STUDIO_MIN_FREE_MB = 0
    assert not any(gauge.is_low or gauge.note for gauge in gauges.gauges(now))
    settings.STUDIO_MIN_FREE_MB = 10_000_000_000
    assert [gauge.is_low for gauge in gauges.gauges(now)] == [False, False, True]


def test_the_area_is_always_of_0_to_100_percent_and_shows_holes():
    found = area([(100, 0.0), (95, 100.0), (20, 50.0), (0, 250.0)],
                 span_s=100, gap_s=15, width=100, height=10)  # fmt: skip
    assert found.line == "M0 10L5 0M80 5h0.5M100 0h0.5"
    assert found.fill.startswith("M0 10L0 10L5 0V10Z")
    assert found.summary == "The last 2 minutes: 100 % on average, 0 to 250 %."
    assert area([(5, None)], span_s=100, gap_s=15).line == ""
