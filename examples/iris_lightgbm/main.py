"""Train LightGBM on the iris flowers; MLflow's autologging reports the loss of every round."""

import argparse

import lightgbm as lgb
import mlflow
import pandas as pd
from sklearn.model_selection import train_test_split


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--iris-csv", required=True, help="table with a species column")
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--boosting", choices=["gbdt", "dart", "goss"], default="gbdt")
    parser.add_argument("--num-boost-round", type=int, default=20)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    mlflow.autolog()

    table = pd.read_csv(args.iris_csv)
    features = table.drop(columns="species")
    species = table["species"].astype("category").cat.codes
    train_x, test_x, train_y, test_y = train_test_split(
        features, species, test_size=0.2, random_state=42
    )
    train = lgb.Dataset(train_x, label=train_y)
    test = lgb.Dataset(test_x, label=test_y, reference=train)

    params = {
        "objective": "multiclass",
        "num_class": 3,
        "metric": "multi_logloss",
        "learning_rate": args.learning_rate,
        "boosting": args.boosting,
        "verbosity": -1,
        "seed": 42,
    }
    with mlflow.start_run():
        lgb.train(
            params,
            train,
            num_boost_round=args.num_boost_round,
            valid_sets=[train, test],
            valid_names=["train", "test"],
        )


if __name__ == "__main__":
    main()
