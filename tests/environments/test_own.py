"""The studio's own packages, told to pip by however many trials start at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from sweeps.environments.own import constraints


def test_trials_that_start_at_once_do_not_trip_over_each_other(tmp_path: Path) -> None:
    barrier = Barrier(8)

    def write(_: int) -> Path:
        barrier.wait()
        return constraints.__wrapped__(tmp_path)

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(write, range(8)))
    assert found == {tmp_path / "studio-packages.txt"}
    assert list(tmp_path.iterdir()) == [*found]
    assert "django==" in found.pop().read_text().lower()
