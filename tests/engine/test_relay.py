"""How often carriers come to the studio."""

import json

from sweeps.engine.relay import Pace


def test_few_come_every_two_seconds_and_many_less_often() -> None:
    pace = Pace()
    assert [pace.pause_s(str(n), n / 1000) for n in range(200)][-1] == 2.0
    for n in range(400):
        pace.pause_s(str(n), 2.0 + n / 1000)
    assert pace.pause_s("0", 3.5) == 4.0
    for n in range(5000):
        pace.pause_s(str(n), 5.0 + n / 10_000)
    assert pace.pause_s("0", 6.0) == 5.0
    assert pace.pause_s("0", 30.0) == 2.0
    assert json.dumps(pace.pause_s("0", 30.0))
