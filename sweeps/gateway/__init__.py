"""The tracking gateway: MLflow's REST API, for one workspace and its runs only."""
