"""How a script ends, and what is done then."""

from tests.runners.warm.stage import Case

ATEXIT = """
import atexit, logging, threading, weakref, sys, concurrent.futures as f
class Thing:
    def __init__(self, name): self.name = name
    def __del__(self): print("del", self.name, sys is not None, flush=True)
atexit.register(print, "first in, last out")
thing = Thing("global"); other = Thing("other"); other.me = other
weakref.finalize(thing, print, "finalized")
atexit.register(lambda: 1 / 0)
atexit.register(lambda: threading.Thread(target=print, args=("thread at exit",)))
atexit.register(lambda: sys.exit(9))
threading._register_atexit(print, "threads over")
pool = f.ThreadPoolExecutor(1); pool.submit(print, "pooled")
def late(): print("late", thing.name, flush=True)
t = threading.Thread(target=late); t.start()
del other
print("end")
"""
DAEMON = """
import threading, time, sys
started = threading.Event()
def on():
    started.set()
    while True:
        time.sleep(0.001)
threading.Thread(target=on, daemon=True).start(); started.wait()
print("left")
"""
WAITS = """
import threading, time
def on():
    time.sleep(0.3); print("the thread is done")
threading.Thread(target=on).start(); print("the script is done")
"""
GENERATORS = """
import sys, contextlib
@contextlib.contextmanager
def held():
    try: yield
    finally: print("released", flush=True)
h = held(); h.__enter__()
def g():
    try: yield 1
    finally: sys.stdout.write("closed\\n")
x = g(); next(x)
import tempfile
folder = tempfile.TemporaryDirectory(dir="."); open(folder.name + "/x", "w").write("x")
file = open("unflushed", "w"); file.write("text")
"""
LEFT_WITH_A_PACKAGE = """
import joblib, sys
joblib.left = open("left", "w"); joblib.left.write("text")
joblib.raw = open("raw", "wb"); joblib.raw.write(b"bytes")
class Late:
    def __del__(self): print("late", end=""); sys.stderr.write("late, too")
late = Late(); print("here", end="")
"""
MODULES_AT_THE_END = """
import atexit, sys, joblib, numpy
class Late:
    def __del__(self):
        import shutil, logging
        print("still there:", shutil.which("sh") is not None, numpy.ones(2).sum(), flush=True)
late = Late(); late.me = late
atexit.register(lambda: print("numpy" in sys.modules, __import__("joblib") is joblib))
"""


def _exit(name: str, value: str) -> Case:
    text = f"import sys\nprint('before')\nimport atexit; atexit.register(print, 'at exit')\n{value}"
    return Case(name, text)


CASES = [
    _exit("exit with 0", "sys.exit(0)"),
    _exit("exit with 3", "sys.exit(3)"),
    _exit("exit with 256", "sys.exit(256)"),
    _exit("exit with -1", "sys.exit(-1)"),
    _exit("exit with a text", "sys.exit('all is lost ü')"),
    _exit("exit with None", "sys.exit(None)"),
    _exit("exit with True", "sys.exit(True)"),
    _exit("exit with False", "sys.exit(False)"),
    _exit("exit with a number that is none", "sys.exit(2.5)"),
    _exit("exit with a tuple", "sys.exit((1, 2))"),
    _exit("exit with a huge number", "sys.exit(2**70)"),
    _exit("raise SystemExit", "raise SystemExit(5)"),
    _exit("exit of the site", "exit(6)"),
    _exit("exit in a thread", "import threading\nt = threading.Thread(target=sys.exit, args=(3,))\n"
          "t.start(); t.join(); print('on')"),
    _exit("exit in between", "try:\n    sys.exit(4)\nfinally:\n    print('finally')"),
    _exit("exit at once", "import os; sys.stdout.flush(); os._exit(7)"),
    _exit("exit at once without a flush", "import os; os._exit(8)"),
    _exit("abort", "import os; sys.stdout.flush(); os.abort()"),
    _exit("KeyboardInterrupt", "raise KeyboardInterrupt"),
    _exit("KeyboardInterrupt with a text", "def f(): raise KeyboardInterrupt('by hand')\nf()"),
    _exit("GeneratorExit", "raise GeneratorExit"),
    _exit("BaseException", "class E(BaseException): pass\nraise E('x')"),
    _exit("MemoryError", "raise MemoryError"),
    _exit("a crash", "sys.stdout.flush()\nimport ctypes; ctypes.string_at(0)"),
    _exit("output that cannot be flushed", "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"),
    _exit("exec of another program", "import os; sys.stdout.flush()\n"
          "os.execvp('sh', ['sh', '-c', 'echo $0 $A; exit 9'])"),
    _exit("exec of itself", "import os; sys.stdout.flush()\n"
          "if len(sys.argv) < 3: os.execv(sys.executable, [sys.executable, *sys.argv, 'again'])\n"
          "print(sys.argv, sys.orig_argv[1:])"),
    Case("what is done at the end", ATEXIT),
    Case("a daemon thread that goes on", DAEMON),
    Case("a thread that is waited for", WAITS),
    Case("things that are let go of at the end", GENERATORS),
    Case("things that a module lets go of at the end", GENERATORS, word=("-m", "train")),
    Case("what is left with a package", LEFT_WITH_A_PACKAGE),
    Case("modules at the end", MODULES_AT_THE_END),
    Case("a stream of its own for prints", "import io, sys\n"
         "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='latin-1')\nprint('ü', end='')"),
    Case("a time limit", "import time; print('up', flush=True); time.sleep(600)",
         limits={"time_limit_s": 1.0}),
    Case("a time limit that is used to save", "import signal, sys, time\n"
         "signal.signal(signal.SIGTERM, lambda *_: (print('saved'), sys.exit(3)))\n"
         "print('up', flush=True); time.sleep(600)", limits={"time_limit_s": 1.0}),
    Case("children that are left", "import subprocess, sys\n"
         "subprocess.Popen(['sleep', '600']); subprocess.Popen(['sleep', '600'], "
         "start_new_session=True)\nprint('gone')", limits={"grace_s": 0.2}),
]  # fmt: skip
