"""MLflow: its server behind a secret, and a light client for its REST API."""
