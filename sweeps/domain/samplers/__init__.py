"""Sampling algorithms, one file each; nothing here imports numpy, scipy or hyperopt when loaded."""
