"""What well-known packages load on first use, long after their import: worth loading ahead too.

Only what a script is about to load anyway: a row counts where the script names `used`, and
`loaded` has been imported by then. So nothing is there that would not have been (mlflow.autolog
looks which libraries are loaded, and turns itself on for those). Read off mlflow 3.17 and
scikit-learn 1.8; a name that is not there is passed over.
"""

from collections.abc import Iterable

_SKLEARN = (
    "calibration", "cluster", "compose", "covariance", "cross_decomposition", "datasets",
    "decomposition", "discriminant_analysis", "dummy", "ensemble", "experimental",
    "feature_extraction", "feature_selection", "frozen", "gaussian_process", "impute", "inspection",
    "isotonic", "kernel_approximation", "kernel_ridge", "linear_model", "manifold", "mixture",
    "multiclass", "multioutput", "naive_bayes", "neighbors", "neural_network", "pipeline",
    "preprocessing", "random_projection", "semi_supervised", "svm", "tree", "utils._testing",
)  # fmt: skip
_LOGGING = (
    "mlflow.tracking.request_header.registry",
    "mlflow.tracking.request_header.databricks_request_header_provider",
    "git",
)
_MODELS = (
    "mlflow.pyfunc", "mlflow.models.rag_signatures", "mlflow.models.display_utils",
    "mlflow.utils._capture_modules", "mlflow.transformers", "pyarrow.pandas_compat",
)  # fmt: skip
_AUTOLOG = ("mlflow.autolog", "mlflow.{0}.autolog")
# What autologging of a library loads when it is turned on or first logs.
_OF_LIBRARY = {
    # It patches every estimator there is, and loads all of them for that.
    "sklearn": ("mlflow.sklearn", *(f"sklearn.{part}" for part in _SKLEARN), *_MODELS),
    # It draws the importance of features.
    "lightgbm": (
        "mlflow.lightgbm", "matplotlib.pyplot", "matplotlib.backends.backend_agg", *_MODELS,
    ),
    "xgboost": (
        "mlflow.xgboost", "matplotlib.pyplot", "matplotlib.backends.backend_agg", *_MODELS,
    ),
}  # fmt: skip


def companions(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs (what must have been imported, what to import then) for a script with these names."""
    used = set(names)
    found = [("mlflow", name) for name in _LOGGING if any(_is_of("mlflow", one) for one in used)]
    for library, later in _OF_LIBRARY.items():
        if used & {word.format(library) for word in _AUTOLOG}:
            found += [(library, name) for name in later]
    return tuple(dict.fromkeys(found))


def _is_of(package: str, name: str) -> bool:
    return name == package or name.startswith(f"{package}.")
