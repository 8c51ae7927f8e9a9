"""What a script is to itself, and how its errors are told."""

from tests.runners.warm.stage import Case

ME = """
import sys, __main__, inspect, types
print(__name__, __file__, __package__, __spec__, __doc__, __builtins__ is sys.modules["builtins"])
print(type(__loader__), __loader__.name, __loader__.path, __cached__)
print(sorted(vars(__main__)), sys.modules["__main__"] is __main__, ME_TOO is __main__.ME_TOO)
print(sys.exc_info(), sys.gettrace(), sys.getprofile(), hasattr(sys, "last_type"))
print(sys.excepthook is sys.__excepthook__, sys.stdout is sys.__stdout__, sys.ps1 if 0 else "")
print([n for n in ("copyright", "exit", "help", "quit", "_") if hasattr(__builtins__, n)])
""".replace("import sys", "'''Trains.'''\nME_TOO = object()\nimport sys", 1)
STACK = """
import inspect, sys, traceback
def inner():
    print([(f.function, f.lineno, f.filename, f.code_context) for f in inspect.stack()])
    traceback.print_stack()
    print(sys._getframe(1).f_back, len(inspect.stack()), sys._getframe(1).f_globals is globals())
inner()
print(sys._getframe().f_back, inspect.currentframe().f_lineno)
"""
DATA = """
from __future__ import annotations
import dataclasses, pickle, sys, typing, enum, copy, abc
@dataclasses.dataclass(order=True, frozen=True)
class Point:
    x: int
    y: typing.Optional[Later] = None
class Later(enum.Enum):
    ONE = 1
class Named(typing.NamedTuple):
    a: int = 1
print(typing.get_type_hints(Point), Point(1, Later.ONE), Point.__module__, Point.__qualname__)
text = pickle.dumps([Point(1, Later.ONE), Named(), Point])
print(text, pickle.loads(text) == [Point(1, Later.ONE), Named(), Point])
print(copy.deepcopy(Point(2)), Named.__module__, sys.modules[Point.__module__].Point is Point)
"""
DEEP = """
import sys
def deeper(n):
    return deeper(n + 1)
def depth(n=1):
    try:
        return depth(n + 1)
    except RecursionError:
        return n
print(depth(), sys.getrecursionlimit())
sys.setrecursionlimit(150)
print(depth())
deeper(0)
"""
CAUSES = """
def load(): raise KeyError("a")
try:
    load()
except KeyError as error:
    try:
        raise ValueError("bad\\nlines") from error
    except ValueError:
        1 / 0
"""
HOOKS = """
import sys, threading
def hook(kind, value, trace): print("hooked", kind, value, trace.tb_lineno, file=sys.stderr)
sys.excepthook = hook
def thread_hook(args): print("thread", args.exc_type, args.thread.name, file=sys.stderr)
threading.excepthook = thread_hook
t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()
class Bad:
    def __del__(self): raise ValueError("in del")
del (b := Bad())
raise RuntimeError("end")
"""
TRACED = """
import sys, threading
seen = []
def tracer(frame, event, arg):
    seen.append((frame.f_code.co_name, event, frame.f_lineno)); return tracer
def work(n):
    for i in range(n):
        pass
sys.settrace(tracer); threading.settrace(tracer); work(2); sys.settrace(None)
print(seen)
import cProfile, pstats, io
p = cProfile.Profile(); p.runcall(work, 3)
print(sorted(key[2] for key in pstats.Stats(p, stream=io.StringIO()).stats))
import trace
t = trace.Trace(count=1, trace=0); t.runfunc(work, 2)
print(sorted((line, n) for (f, line), n in t.results().counts.items() if f == __file__))
"""
RAISES = "import sys\nprint('before')\nsys.stdout.flush()\n"

CASES = [
    Case("names of a script", ME),
    Case("names of a module", ME.replace("__cached__", "1"), word=("-m", "train")),
    Case("the stack", STACK),
    Case("the stack of a module", STACK, word=("-m", "train")),
    Case("classes of the script", DATA),
    Case("too deep", DEEP),
    Case("an error", RAISES + "def f():\n    return {}['key']\nf()"),
    Case("an error in an expression", RAISES + "x = (1 +\n     [0][5] + 2)"),
    Case("an error with causes", CAUSES),
    Case("an error without context", "try:\n    1/0\nexcept Exception:\n    raise OSError(2) from None"),
    Case("an error with notes", "e = ValueError('x')\ne.add_note('a note')\nraise e"),
    Case("a group of errors", "raise ExceptionGroup('all', [ValueError(1), OSError(2, 'no')])"),
    Case("an error in a local module", "import helper", files={"helper.py": "\n\nimport gone\n"}),
    Case("an error inside of an installed package", "import json; json.loads('{')"),
    Case("an error in a package that was imported", "import numpy; numpy.ones(2) @ numpy.ones(3)"),
    Case("a syntax error", "print('never')\nif True print(1)\n"),
    Case("an indentation error", "def f():\nreturn 1\n"),
    Case("a syntax error in a module", "import bad", files={"bad.py": "x = (\n"}),
    Case("a name that is nearly right", "import math\nprint(math.sqtr(2))"),
    Case("a name that is not there", RAISES + "print(pritn)"),
    Case("an error in threads", HOOKS[: HOOKS.index("sys.excepthook")] + "import os\n"
         "t = threading.Thread(target=lambda: 1 / 0, name='mine'); t.start(); t.join()"),
    Case("hooks for errors", HOOKS),
    Case("an error that cannot be printed", "class E(Exception):\n"
         "    def __str__(self): raise ValueError\nraise E"),
    Case("tracing and profiling", TRACED),
    Case("an empty script", "", prepare=lambda work: (work / "seen").write_text("x") and None),
    Case("a script without a newline at its end", "print(1)"),
    Case("a script with a mark of its encoding", b"\xef\xbb\xbfprint('\xc3\xbc', __file__)\n"),
    Case("a script in another encoding", "# -*- coding: latin-1 -*-\nprint('ü', '\xdf')".encode("latin-1")),
    Case("a script in no encoding", b"print(1)\nx = '\xff'\n"),
    Case("a script in an encoding that is none", b"# coding: klingon\nprint(1)\n"),
    Case("a script with NUL", b"print(1)\n\0\n"),
    Case("lines that end as on Windows", b"def f():\r\n    return '''a\r\nb'''\r\nprint(repr(f()))\r\n"),
    Case("a first line for the kernel", "#!/no/such/python\nprint(__file__)\n"),
    Case("a compiled script", ME, at="x.py", word=("x.pyc",), prepare=lambda work: __import__(
        "py_compile").compile(str(work / "x.py"), str(work / "x.pyc"), doraise=True) and None),
    Case("a last expression", "1 + 1\nprint(_ if '_' in dir() else 'none')"),
    Case("running others", "import runpy\nprint(runpy.run_path('other.py')['X'])\n"
         "runpy.run_module('other', run_name='__main__', alter_sys=True)",
         files={"other.py": "import sys; X = __name__; print(sys.argv, X, __file__)"}),
    Case("exec and its names", "exec(open('other.py').read()); print(X, __name__)",
         files={"other.py": "import sys; X = __file__"}),
]  # fmt: skip
