"""The words and rules of hyperparameter sweeps as plain values: no Django, files, clocks, processes."""
