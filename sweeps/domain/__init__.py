"""The words and rules of hyperparameter sweeps as plain values.

No Django, files, clocks or processes here.
"""
