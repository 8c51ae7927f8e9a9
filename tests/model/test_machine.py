"""Random lives of a sweep beside a model; `make chaos` has more and longer ones.

MODEL_EXAMPLES and MODEL_STEPS say how many and how long, MODEL_SEED where chance begins.
"""

import logging
import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import SweepMachine


@pytest.mark.timeout(0)
def test_a_sweep_and_its_model_never_part(db: None, settings: Any, tmp_path: Path) -> None:
    settings.STUDIO_HOME = tmp_path
    logging.disable(logging.CRITICAL)  # thousands of lines that nobody reads
    chance = os.environ.get("MODEL_SEED")
    rules = hypothesis.settings(
        max_examples=int(os.environ.get("MODEL_EXAMPLES", "30")),
        stateful_step_count=int(os.environ.get("MODEL_STEPS", "40")),
        derandomize=chance is None,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    machine = SweepMachine
    if chance is not None:
        machine = hypothesis.seed(int(chance))(machine)
    try:
        run_state_machine_as_test(machine, settings=rules)
    finally:
        logging.disable(logging.NOTSET)
