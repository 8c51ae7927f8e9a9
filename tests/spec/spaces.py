"""Random search spaces and jobs, odd on purpose."""

import math
from dataclasses import replace

from hypothesis import strategies as st

from sweeps.domain.job import (
    DataInput,
    EarlyTermination,
    FailurePolicy,
    LoggedModels,
    Output,
    Sampling,
    StopRules,
    SweepJob,
)
from sweeps.domain.limits import Limits
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.samplers.draws import prior_draw, uniforms
from sweeps.domain.space import (
    Branch,
    Choice,
    Distribution,
    LogNormal,
    LogUniform,
    Normal,
    QLogNormal,
    QLogUniform,
    QNormal,
    QUniform,
    Randint,
    SearchSpace,
    Uniform,
    leaves,
    realise,
)

ODD = (
    "1", "1.0", "true", "True", "null", "~", "1e-3", "1e-05", "010", ".5", "5.", ".inf", "yes",
    "no", "on", "", " ", " a", "a ", "a: b", "a #b", "#", "- a", "a\nb", "a\n", "\na", "\n",
    " a\nb", "a\n\n b", "\n\n", " \n",
    "a \nb\n\n", "\t", "a\tb", "'", '"', "it's", '"q"', "a, b", "[a]", "{a}", "&a", "*a", "!a",
    "%a", "@a", "`a", "|", ">", "?", "? a", "=", "<<", "2024-01-01", "1:30", "0x10", "é", "日本",
    "😀", "\u2028", "\x85", "\ufeff", "a\\b", "\\n", "x" * 300, "a  b " * 40, "−1", "--x", "None",
)  # fmt: skip
texts = st.sampled_from(ODD) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)
floats = st.sampled_from([1e-05, 0.1, 1e22, -3e-05, 1.5, 100.0]) | st.floats(-1e6, 1e6)
scalars = texts | st.integers(-(10**9), 10**9) | floats | st.booleans()
names = st.sampled_from(["lr", "learning_rate", "b", "C", "_x1", "model", "n"])
positive = st.sampled_from([1, 2, 0.1, 1e-05, 5.0])


@st.composite
def bounds(draw: st.DrawFn, low: float, high: float) -> tuple[float, float]:
    pair = draw(
        st.lists(
            st.floats(low, high).map(lambda x: round(x, 3)) | st.integers(int(low), int(high)),
            min_size=2, max_size=2, unique=True,
        )
    )  # fmt: skip
    return min(pair), max(pair)


wide, logs = bounds(-1000, 1000), bounds(-20, 20)
numeric: st.SearchStrategy[Distribution] = st.one_of(
    st.builds(lambda b: Uniform(*b), wide),
    st.builds(lambda b: QUniform(*b, b[1] - b[0]), wide),
    st.builds(lambda b: LogUniform(*b), logs),
    st.builds(lambda b, q: QLogUniform(*b, q), logs, positive),
    st.builds(Normal, floats, positive),
    st.builds(QNormal, floats, positive, positive),
    st.builds(LogNormal, st.floats(-5, 5), positive),
    st.builds(QLogNormal, st.floats(-5, 5), positive, positive),
    st.builds(Randint, st.integers(1, 10**6)),
)


def choices(
    inner: st.SearchStrategy[Distribution], most: int = 4
) -> st.SearchStrategy[Distribution]:
    branch = st.dictionaries(names, scalars | inner, min_size=1, max_size=3).map(
        lambda items: Branch(tuple(items.items()))
    )
    values = st.lists(scalars | branch, min_size=1, max_size=most, unique_by=repr)
    return values.map(lambda found: Choice(tuple(found)))


distributions = st.recursive(numeric, choices, max_leaves=6) | choices(numeric)
spaces = st.dictionaries(names, distributions, min_size=1, max_size=4).map(
    lambda found: SearchSpace(tuple(found.items()))
)
words = texts.filter(lambda text: text.strip() == text not in ("", "studio") and len(text) <= 100)
early_terminations = st.none() | st.sampled_from(
    [
        EarlyTermination(
            "bandit", {"evaluation_interval": 2, "delay_evaluation": 5, "slack_factor": 1e-05}
        ),
        EarlyTermination("median_stopping", {"evaluation_interval": 1, "delay_evaluation": 5}),
        EarlyTermination("successive_halving", {"min_reports": 2, "reduction_factor": 3}),
    ]
)
plain_jobs = st.builds(
    SweepJob,
    command=st.just("python train.py ${{args}}"),
    search_space=spaces,
    objective=st.builds(Objective, st.sampled_from(["loss", "test-auc", "1", "a b/c"]),
                        st.sampled_from(Goal)),
    limits=st.builds(Limits, st.integers(1, 100), st.integers(1, 50), st.integers(1, 10**7),
                     st.none() | st.integers(1, 10**6)),
    sampling=st.builds(Sampling, st.just("random"), st.sampled_from(["random", "sobol"]),
                       st.none() | st.integers(0, 2**63 - 1), st.none() | st.just(10.0)),
    code=st.none() | st.just("./src"),
    name=st.none() | st.just("my_sweep"),
    display_name=texts.filter(lambda text: len(text) <= 255),  # its column
    description=texts,
    environment=st.sampled_from(["azureml:x@latest", {"image": "a", "conda_file": {"n": [1.5]}}]),
    environment_variables=st.dictionaries(names, texts, max_size=2),
    inputs=st.dictionaries(
        names.map(lambda name: f"in_{name}"),
        scalars | st.builds(DataInput, st.just("./a b.csv"), st.just("uri_file"),
                            st.none() | st.just("download")),
        max_size=2,
    ),
    outputs=st.dictionaries(names, st.builds(Output, st.just("uri_file")), max_size=2),
    early_termination=early_terminations,
    stop_rules=st.builds(StopRules, st.none() | floats, st.none() | st.integers(1, 99)),
    failure_policy=st.builds(FailurePolicy, st.integers(0, 6), st.integers(0, 2), st.just(2)),
    logged_models=st.sampled_from(LoggedModels),
    preload=st.booleans(),
    tags=st.dictionaries(words, texts, max_size=2),
    properties=st.dictionaries(words, texts, max_size=2),
)  # fmt: skip


@st.composite
def jobs_with_points(draw: st.DrawFn) -> SweepJob:
    """Jobs with up to two points of their space to try first."""
    job = draw(plain_jobs)
    space, base = job.search_space, job.sampling.logbase or math.e
    cubes = [uniforms(len(leaves(space)), draw(st.integers(0, 99))) for _ in range(draw(few))]
    points = [realise(space, prior_draw(space, cube, base)) for cube in cubes]
    return replace(job, first_trials=tuple(points))


few = st.integers(0, 2)
jobs = jobs_with_points()
