"""Numbers in threads: OpenBLAS, OpenMP, LightGBM, scikit-learn."""

from tests.runners.warm.stage import LEARN, PLAIN, Case

INFO = """
import os, numpy, threadpoolctl
def shown():
    return [(i["user_api"], i["internal_api"], i["num_threads"], i.get("version"), i["filepath"])
            for i in threadpoolctl.threadpool_info()]
print(shown(), len(os.listdir("/proc/self/task")))
with threadpoolctl.threadpool_limits(1): print([i[2] for i in shown()])
x = numpy.random.default_rng(0).normal(size=(300, 300)); print(numpy.linalg.svd(x)[1][:3], (x @ x)[0, :2])
if (pid := os.fork()) == 0: (x @ x).sum(); os._exit(0)
print(os.waitpid(pid, 0)[1], len(os.listdir("/proc/self/task")))
"""
LIGHTGBM = """
import sys, lightgbm, numpy as np, threadpoolctl, os, sklearn.ensemble, pandas
r = np.random.default_rng(0); x = r.normal(size=(500, 5)); y = x[:, 0] * 2 + r.normal(size=500)
n = int(sys.argv[1])
m = lightgbm.LGBMRegressor(n_estimators=10, n_jobs=n, verbose=1, seed=3, force_col_wise=True).fit(pandas.DataFrame(x), y)
print(m.predict(pandas.DataFrame(x))[:3], m.booster_.num_trees(), m.booster_.model_to_string()[-300:])
print(sorted((i["internal_api"], i["num_threads"]) for i in threadpoolctl.threadpool_info()))
f = sklearn.ensemble.HistGradientBoostingRegressor(max_iter=5, random_state=0).fit(x, y)
print(f.predict(x)[:3])
print(sklearn.ensemble.RandomForestRegressor(5, n_jobs=n, random_state=1).fit(x, y).predict(x)[:2])
"""
TRAINS = """
import lightgbm, numpy
x = numpy.random.default_rng(0).normal(size=(500, 5))
data = lightgbm.Dataset(x, x[:, 0] * 2)
booster = lightgbm.train({"num_threads": 2, "force_col_wise": True, "seed": 1}, data, 10)
print(booster.predict(x)[:3], booster.num_trees())
"""
SEARCH = """
import numpy as np
from sklearn.linear_model import Ridge, LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn import set_config, get_config
r = np.random.default_rng(0); x = r.normal(size=(200, 4)); y = (x[:, 0] > 0).astype(int)
if __name__ == "__main__":
    g = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, n_jobs=2, cv=2).fit(x, y)
    print(g.best_params_, g.best_score_, train_test_split(x, random_state=3)[0][:1], get_config())
    try:
        Ridge().predict(x)
    except Exception as error: print(type(error), error)
    print(Ridge().fit(x, y).coef_, Ridge())
"""


NUMBERS = ("numpy.random", "threadpoolctl")


def _threads(env: dict[str, str], long: bool = True) -> Case:
    words = " ".join(f"{name}={value}" for name, value in env.items())
    return Case(
        f"threads of OpenBLAS with {words or 'nothing set'}", INFO, env=env, imports=NUMBERS
    )


CASES = [
    _threads({}, long=False),
    _threads({"OMP_NUM_THREADS": "1"}),
    _threads({"OMP_NUM_THREADS": "2"}),
    _threads({"OPENBLAS_NUM_THREADS": "1"}),
    _threads({"OPENBLAS_NUM_THREADS": "64"}, long=False),
    _threads({"OPENBLAS_NUM_THREADS": "0", "OMP_NUM_THREADS": "1"}),
    _threads({"OMP_NUM_THREADS": "1,2"}, long=False),
    _threads({"GOTO_NUM_THREADS": "1"}),
    _threads({"OPENBLAS_DEFAULT_NUM_THREADS": "1", "GOTO_NUM_THREADS": "2"}),
    _threads({"OPENBLAS_NUM_THREADS": "many", "OMP_NUM_THREADS": "-1"}),
    Case("LightGBM and forests in one thread", LIGHTGBM, ("1",), imports=LEARN, long=True),
    Case("LightGBM and forests in two threads", LIGHTGBM, ("2",), imports=LEARN, long=True),
    Case("LightGBM in two threads", TRAINS, imports=("lightgbm.LGBMRegressor",)),
    Case("LightGBM with OMP_NUM_THREADS", LIGHTGBM, ("-1",), imports=LEARN, long=True,
         env={"OMP_NUM_THREADS": "1"}),
    Case("LightGBM with OMP_NUM_THREADS 2", LIGHTGBM, ("0",), imports=LEARN, long=True,
         env={"OMP_NUM_THREADS": "2", "OMP_DYNAMIC": "false"}),
    Case("a search in processes", SEARCH, imports=LEARN, long=True),
    Case("numbers whose parent has imported nothing of them", INFO, imports=PLAIN),
]  # fmt: skip
