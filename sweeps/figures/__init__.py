"""Charts of a sweep by kind: from the columns of its trials to what a page draws.

A kind is a file with a `build(ask)`; `registry.KINDS` lists them.
"""
