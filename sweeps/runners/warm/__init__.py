"""Warm start: a parent process imports what a script will, and forks one child per command.

The parent is the command's own interpreter with the command's own options. It is held up where
Python runs `sitecustomize`, before it turns to the script; there it imports, and forks whenever
it is asked to. In the child the hold-up ends, with no trace of it on the stack, and Python itself
goes on to the script as it always does: path, `__main__`, tracebacks, exit code and finalisation
are Python's own. Guard and shim are forks of the same parent, so the shim is the script's parent.

site/sitecustomize.py  what Python runs                       in the command's interpreter
parent.py              imports, then forks guards             "
preload.py             importing, and judging what that did   "
script.py              turns a child into the script          "
memory.py              what lies outside of Python's reach    "
freshen.py             what each process has of its own       "
blas.py                threads of OpenBLAS                    "
line.py                the words between the two              both
parents.py             starting, asking and ending parents    in the studio

Standard library only, as all of `runners`: another interpreter runs it, with other packages.
"""
