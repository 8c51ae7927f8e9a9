"""What packages load on first use."""

from sweeps.domain.companions import companions


def test_a_script_that_logs_by_hand_gets_only_what_logging_loads() -> None:
    pairs = companions(["mlflow", "mlflow.log_metric", "sklearn.svm.SVC"])
    assert {needed for needed, _ in pairs} == {"mlflow"}
    assert not any("sklearn" in name or "matplotlib" in name for _, name in pairs)


def test_autologging_loads_what_each_library_that_is_there_needs() -> None:
    pairs = companions(["mlflow", "mlflow.autolog"])
    assert ("sklearn", "sklearn.ensemble") in pairs
    assert ("lightgbm", "matplotlib.pyplot") in pairs


def test_autologging_of_one_library_loads_nothing_for_others() -> None:
    pairs = companions(["mlflow.lightgbm.autolog"])
    assert ("lightgbm", "matplotlib.pyplot") in pairs
    assert not any(needed == "sklearn" for needed, _ in pairs)


def test_without_mlflow_there_is_nothing() -> None:
    assert companions(["numpy", "mlflowish.autolog"]) == ()
