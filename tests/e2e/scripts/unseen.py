"""A script that nobody wrote for the studio: it sets an experiment and opens a run of its own."""

import argparse

import mlflow

mlflow.set_experiment("x")

parser = argparse.ArgumentParser()
parser.add_argument("--model")
parser.add_argument("--c", type=float)
parser.add_argument("--depth", type=int)
args, rest = parser.parse_known_args()

with mlflow.start_run():
    value = (args.c or 0) ** 2 if args.model == "svm" else 0.5 + (args.depth or 0) / 10
    mlflow.log_param("seen_by_script", args.model)
    mlflow.log_metric("error", value)
