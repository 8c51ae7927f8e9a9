"""Kinds of compute: what each is called, and what can be set of it.

A kind is a file here (its settings), an entry in `kinds`, and a runner of the same name in
`runners.registry`. Forms, REST and pages are drawn from the fields of its settings.
"""
