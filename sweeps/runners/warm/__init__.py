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
ending.py              an end that spares what was imported   "
blas.py                threads of OpenBLAS                    "
line.py                the words between the two              both
parents.py             starting, asking and ending parents    in the studio

Standard library only, as all of `runners`: another interpreter runs it, with other packages.

tests/runners/warm runs some two hundred scripts cold and warm and compares what can be observed.

What differs, and cannot be otherwise
- Hashes of texts: where no PYTHONHASHSEED is set Python draws their seed when it starts, so all
  commands of a parent share it. Other seeds (`random`, NumPy, PyTorch) are drawn in each.
- Imports come first, whatever the script does ahead of its own: what they leave in filters of
  warnings, handlers of logging, `atexit` and `os.register_at_fork` (these have run for guard and
  shim too) lies below what the script adds. A module that reads a variable of one trial alone, or
  the working folder, while it is imported has read the parent's: for such a module preloading is
  to be turned off, or the list of modules to be given by hand.
- `sys.modules` holds what the parent imported and what it needs itself, used or not; NumPy's
  OpenBLAS then has its threads, and `faulthandler` names its extension modules.
- The garbage collector does not look at what imports made (`gc.get_objects`, `gc.freeze`); at the
  end of the interpreter what only they hold on to is not let go of (`__del__`), but files are
  written out. What the script and its own modules hold is.
- /proc and ps show the command as one text, of at most 8 KiB, and of an environment larger than
  the parent's own by some 96 KiB not all. Arguments may be longer than execve(2) allows.
- Limits, umask, priority and processors are those of the process that started the parent, not of
  a later one that asks it.
- With a relative PYTHONPYCACHEPREFIX the imports' byte code is cached in the parent's folder.
- LightGBM's, scikit-learn's and other OpenMP read their variables at import: those must be among
  the parent's, not a single command's.
"""
