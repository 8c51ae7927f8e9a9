"""What moves trials: starting them, watching them, bringing their metrics to MLflow."""
