"""What holds for every policy, whatever the trials logged."""

from hypothesis import given
from hypothesis import strategies as st

from sweeps.domain.job import EarlyTermination
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.termination.registry import decide
from tests.domain.termination.cases import LESS, MORE, from_values

REPORTS = 4
goals = st.sampled_from([LESS, MORE])
# Whole numbers tie often; the others are what scripts log.
numbers = st.integers(-5, 5).map(float) | st.floats(-1e9, 1e9)
trials = st.lists(st.lists(numbers, min_size=REPORTS, max_size=REPORTS), min_size=2, max_size=9)
policies = st.one_of(
    st.builds(
        lambda name, slack: EarlyTermination("bandit", {name: slack}),
        st.sampled_from(["slack_factor", "slack_amount"]),
        st.floats(1e-6, 1e3),
    ),
    st.just(EarlyTermination("median_stopping")),
    st.builds(
        lambda p: EarlyTermination("truncation_selection", {"truncation_percentage": p}),
        st.integers(1, 99),
    ),
    st.builds(
        lambda f: EarlyTermination("successive_halving", {"reduction_factor": f}),
        st.integers(2, 6),
    ),
)


def mirrored(early: EarlyTermination, objective: Objective) -> tuple[EarlyTermination, Objective]:
    """The policy and goal that mean the same for values of the opposite sign.

    A factor f allows |B|*f above the best of minimize, but |B|*f/(1 + f) below that of maximize.
    """
    is_less = objective.goal is Goal.MINIMIZE
    other = Objective(objective.primary_metric, Goal.MAXIMIZE if is_less else Goal.MINIMIZE)
    factor = early.options.get("slack_factor")
    if factor is None:
        return early, other
    factor = factor / (1 - factor) if is_less else factor / (1 + factor)
    return EarlyTermination("bandit", {"slack_factor": factor}), other


@given(policies, goals, trials)
def test_the_best_trial_is_never_stopped(early, objective, values):
    bests = [objective.best(one) for one in values]
    first = bests.index(objective.best(bests))
    ordered = [values[first], *values[:first], *values[first + 1 :]]
    decision = decide(early, from_values(objective, *ordered))
    assert decision is not None
    assert not decision.stop, decision


whole = st.lists(
    st.lists(st.integers(-40, 40).map(float), min_size=REPORTS, max_size=REPORTS),
    min_size=2,
    max_size=9,
)


@given(policies.filter(lambda early: early.options.get("slack_factor", 0) < 0.9), goals, whole)
def test_the_opposite_goal_and_sign_decide_the_same(early, objective, values):
    one = decide(early, from_values(objective, *values))
    turned, opposite = mirrored(early, objective)
    other = decide(turned, from_values(opposite, *[[-x for x in trial] for trial in values]))
    assert one is not None
    assert other is not None
    assert one.stop is other.stop, (one, other)


@given(policies, goals, trials)
def test_a_decision_agrees_with_its_numbers(early, objective, values):
    decision = decide(early, from_values(objective, *values))
    assert decision is not None
    assert decision.value == objective.best(values[0])
    if decision.threshold is None:
        assert not decision.stop
    elif decision.stop:
        assert objective.is_better(decision.threshold, decision.value)
        assert ", needed " in decision.reason
    else:
        assert " meets " in decision.reason


@given(policies, goals, trials)
def test_a_better_value_never_turns_staying_into_going(early, objective, values):
    step = -1.0 if objective.goal is Goal.MINIMIZE else 1.0
    better = [x + step for x in values[0]]
    one = decide(early, from_values(objective, *values))
    other = decide(early, from_values(objective, better, *values[1:]))
    assert one is not None
    assert other is not None
    assert one.stop or not other.stop
