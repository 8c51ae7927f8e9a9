"""Sweep-job files: Azure ML CLI v2 YAML (and the same as JSON) to and from domain values."""
