"""State of the interpreter and of what the standard library keeps."""

from tests.runners.warm.stage import Case

LIMITS = """
import resource, os
for name in sorted(n for n in dir(resource) if n.startswith("RLIMIT_")):
    print(name, resource.getrlimit(getattr(resource, name)))
old = os.umask(0); os.umask(old); print(oct(old), os.nice(0), os.sched_getscheduler(0))
print(os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0), os.getgroups(), os.getresuid())
open("made", "w"); os.mkdir("folder"); print(oct(os.stat("made").st_mode))
import ctypes; libc = ctypes.CDLL(None)
print([libc.prctl(n, 0, 0, 0, 0) for n in (3, 21, 39)])  # dumpable, seccomp, no_new_privs
sub = ctypes.c_int(); libc.prctl(37, ctypes.byref(sub), 0, 0, 0); print(sub.value)
dead = ctypes.c_int(); libc.prctl(2, ctypes.byref(dead), 0, 0, 0); print(dead.value)
"""
CLOCKS = """
import time, os, resource
spent = time.process_time(); t = os.times(); u = resource.getrusage(resource.RUSAGE_SELF)
print(spent < 2, t.user + t.system < 2, u.ru_utime < 2, t.children_user, t.children_system)
print(time.thread_time() < 2, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
start = int(open("/proc/self/stat").read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
print(-0.1 < time.clock_gettime(time.CLOCK_BOOTTIME) - start < 20)
print(abs(time.time() - os.stat("/proc/self").st_ctime) < 20)
print(0 < time.monotonic() < 1e9, time.perf_counter() > 0, time.get_clock_info("monotonic"))
"""
COLLECTOR = """
import gc, sys, weakref
print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.callbacks, gc.garbage)
class Node: pass
a, b = Node(), Node(); a.b, b.a = b, a; gone = weakref.ref(a); del a, b
print(gone() is None, gc.collect() >= 2, gone() is None)
print(gc.is_tracked(globals()), any(x is globals() for x in gc.get_objects()))
import __main__; print(any(x is __main__ for x in gc.get_objects()))
print(sys.getrefcount(None) > 100, sys.getallocatedblocks() > 0, sys.getrecursionlimit())
"""
FILTERS = """
import warnings, sys
own = [f for f in warnings.filters if f[3] is None or "numpy" not in str(f)]
print([f for f in own if "ndarray" not in str(f)][:6], warnings.defaultaction, warnings.onceregistry)
print(globals().get("__warningregistry__"), warnings.showwarning.__module__)
"""
LOGGING = """
import logging, sys
print(logging.root.level, logging.root.handlers, logging.lastResort, logging.root.disabled)
print(logging._nameToLevel, logging.getLoggerClass(), logging.root.manager.disable)
print(sorted(n for n in logging.root.manager.loggerDict if n.startswith("sweep")))
logging.info("not shown"); logging.error("shown")
"""
TEMPORARY = """
import tempfile, os, shutil, pathlib
print(tempfile.gettempdir(), tempfile.gettempprefix(), os.path.expanduser("~"), pathlib.Path.home())
with tempfile.TemporaryDirectory() as d, tempfile.NamedTemporaryFile("w", dir=d) as f:
    print(os.path.dirname(d), oct(os.stat(d).st_mode), oct(os.stat(f.name).st_mode))
print(os.path.exists(d), shutil.which("sh") is not None)
"""
RANDOM = """
import random, secrets, uuid, os, tempfile
import numpy as np
print(random.random()); print(random.Random().random()); print(secrets.token_hex(8))
print(uuid.uuid4()); print(os.urandom(8)); print(next(tempfile._get_candidate_names()))
print(np.random.rand()); print(np.random.default_rng().random()); print(np.random.RandomState().rand())
print(np.random.SeedSequence().entropy); print(random.SystemRandom().random())
print(np.random.randint(2**60)); print(random.getrandbits(64)); print(random.sample(range(10**9), 2))
import ssl; print(ssl.RAND_bytes(8))
import multiprocessing; print(bytes(multiprocessing.current_process().authkey))
"""
SEEDED = """
import random, os
import numpy as np
random.seed(7); np.random.seed(7)
print(random.random(), random.choices("abc", k=5), np.random.rand(3), np.random.permutation(5))
print(np.random.default_rng(7).normal(size=3), random.Random("x").random())
print(random.gauss(0, 1), random.getstate()[1][:3], np.random.get_state()[1][:3])
print(np.random.standard_normal(3), np.random.get_state()[2:])
pid = os.fork()
if pid == 0: print(np.random.rand()); import sys; sys.stdout.flush(); os._exit(0)
os.waitpid(pid, 0); print(np.random.rand())
"""
MODULES = """
import sys, importlib, builtins
for name in ("os", "sys", "builtins", "site", "__main__", "json", "logging"):
    m = importlib.import_module(name); print(m.__name__, m.__spec__ and m.__spec__.name, m is sys.modules[name])
print([n for n in sys.modules if n.startswith("sweeps") or n == "sitecustomize"])
print([p for p in sys.path_hooks], [f for f in sys.meta_path][-3:], sys.path_importer_cache is not None)
print(sorted(n for n in dir(builtins) if n.startswith("__")), sys.stdlib_module_names > {"os"})
sys.modules.pop("json"); import json; print(json.loads("[1]"))
print(importlib.import_module("helper").X, sys.dont_write_bytecode); importlib.invalidate_caches()
open("late.py", "w").write("Y = 2"); import late; print(late.Y)
"""
SQL = """
import sqlite3, ssl, hashlib, zlib, decimal, struct, hmac
c = sqlite3.connect("data.db"); c.execute("create table t (a)"); c.execute("insert into t values (1)")
c.commit(); print(c.execute("select * from t").fetchall(), sqlite3.threadsafety); c.close()
print(ssl.create_default_context().verify_mode, len(ssl.create_default_context().get_ca_certs()) >= 0)
print(hashlib.sha256(b"x").hexdigest(), decimal.getcontext(), decimal.Decimal(1) / 3)
"""
PEAK = """
import resource, json
x = bytearray(150 << 20); x[::4096] = b"1" * len(x[::4096])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 150 << 10)
"""
TRACKING = """
import tracemalloc, sys, faulthandler, linecache, inspect, signal
print(tracemalloc.is_tracing(), faulthandler.is_enabled(), sys.getprofile(), linecache.cache == {})
tracemalloc.start(); x = [bytes(1000) for _ in range(100)]
top = tracemalloc.take_snapshot().statistics("lineno")[0].traceback[0]; print(top)
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event == "open" else None)
open(__file__).close(); print(seen)
print(sys.get_asyncgen_hooks(), sys.get_coroutine_origin_tracking_depth(), sys.getdlopenflags())
print(sys.displayhook, sys.breakpointhook, sys.unraisablehook, sys.intern("a"), sys.float_repr_style)
print(sys.int_info, sys.get_int_max_str_digits(), sys.api_version, sys.platlibdir, sys.base_prefix)
"""

CASES = [
    Case("limits and rights", LIMITS, imports=("json",)),
    Case("clocks", CLOCKS),
    Case("the collector", COLLECTOR),
    Case("filters of warnings", FILTERS, imports=("json", "random")),
    Case("state of logging", LOGGING),
    Case("temporary files", TEMPORARY),
    Case("what is random is another in every run", RANDOM, fresh=True),
    Case("what is seeded is the same", SEEDED),
    Case("what hashes are seeded with", "print(hash('x') == hash('x'), hash(1), hash(1.5))"),
    Case("modules", MODULES, files={"helper.py": "X = 1"}),
    Case("databases, certificates, digests", SQL),
    Case("memory", PEAK),
    Case("tracking", TRACKING, imports=("json", "tracemalloc")),
    Case("numbers", "import math, locale, fractions\nimport numpy as np\n"
         "print(np.geterr(), np.get_printoptions()['precision'], np.float32(0.1) + np.float32(0.2))\n"
         "print(np.arange(6).reshape(2, 3) @ np.ones(3), np.linalg.inv(np.eye(2) * 3), math.fsum([.1] * 10))\n"
         "import ctypes; print(ctypes.CDLL(None).fegetround())"),
    Case("attributes of ctypes", "import ctypes\nf = ctypes.pythonapi.PyMem_RawMalloc\n"
         "print(f.restype, f.argtypes, ctypes.get_errno(), ctypes.CDLL(None).prctl.argtypes)"),
    Case("files that are written", "import os\nos.makedirs('outputs/model', exist_ok=True)\n"
         "open('outputs/model/w.bin', 'wb').write(bytes(range(256)))\nos.symlink('model', 'outputs/l')\n"
         "os.chmod('outputs/model/w.bin', 0o640)\nprint(sorted(os.listdir()), os.path.realpath('.'))"),
    Case("names of the machine", "import platform, socket, getpass, os\nprint(platform.platform(), "
         "socket.gethostname(), os.cpu_count(), platform.python_build(), os.getcwd(), getpass.getuser())"),
    Case("type hints and classes of the library", "import typing, abc, functools, enum, collections\n"
         "class P(typing.Protocol):\n    x: int\n@typing.runtime_checkable\nclass Q(typing.Protocol):\n"
         "    def f(self) -> 'Q': ...\nprint(typing.get_type_hints(Q.f), isinstance(1, Q))\n"
         "@functools.lru_cache\ndef f(n): return n\nf(1); f(1); print(f.cache_info())"),
]  # fmt: skip
