"""The environment, and the interpreter's options."""

from tests.runners.warm.stage import LIGHT, Case

SHOW = """
import os
def shown(env):
    return [(k, v) for k, v in env.items() if "COOKIE" not in k]
print(shown(os.environ))
"""
FLAGS = """
import sys, warnings
print(sys.flags, sys._xoptions, sys.warnoptions)
print([f for f in warnings.filters if "numpy" not in str(f)][:6])
print(sys.stdout.line_buffering, sys.stdout.write_through, sys.stdout.encoding, sys.stdout.errors)
print(sys.stdin.encoding, sys.stderr.encoding, sys.stderr.errors, sys.dont_write_bytecode)
print(__debug__, sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
print(sys.implementation.cache_tag, sys.pycache_prefix, sys.getrecursionlimit())
def documented(): "text"
print(documented.__doc__)
"""
CHILD = """
import os, subprocess, sys
code = "import os; print(sorted(k for k in os.environ if 'COOKIE' not in k), os.environ['A'])"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
print(subprocess.run(["env"], capture_output=True, text=True).stdout.split("SWEEP_PROCESS")[0])
print(os.popen("echo $A").read(), os.system("test -n \\"$A\\""))
"""
NATIVE = """
import ctypes, os
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
print([libc.getenv(name) for name in (b"A", b"HOME", b"OWN", b"SWEEP_WARM_PLAN", b"PATH")])
os.environ["A"] = "other"; print(libc.getenv(b"A"), os.getenv("A"))
del os.environ["A"]; print(libc.getenv(b"A"), os.getenv("A"))
os.environ.update(B="1"); print(libc.getenv(b"B"))
"""
PROC = """
texts = open("/proc/self/environ", "rb").read().split(b"\\0")
print([text for text in texts if text and b"COOKIE" not in text])
"""
AT_START = """
import os, posix, importlib
print(sorted(k for k in posix.environ if b"COOKIE" not in k))
importlib.reload(os)
print(sorted(k for k in os.environ if "COOKIE" not in k))
"""
SAID = """
import locale, os, sys, time
print(locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(), os.environ.get("LC_CTYPE"))
print(list(os.environ)[-2:], locale.localeconv()["decimal_point"], time.tzname)
print(sys.flags.utf8_mode, sys.stdout.encoding, sys.stderr.errors, ascii(os.fsdecode(b"\\xff")))
"""
HASHES = "print(hash('a'), hash(b'b'), list({str(n) for n in range(20)}), hash((1, 'x')))"
A = {"A": "1", "ÜMLAUT": "ß ü 🦊", "EMPTY": "", "EQUAL": "a=b=c", "LINES": "1\n2"}

CASES = [
    Case("the environment", SHOW, env=A),
    Case("variables of the trial alone", SHOW, env=A, own={"OWN": "7", "A": "mine"}),
    Case("the environment of children", CHILD, env=A, own={"OWN": "7"}),
    Case("the environment as C sees it", NATIVE, env=A, own={"OWN": "7"}),
    Case("the environment as the kernel shows it", PROC, env=A, own={"OWN": "7"}),
    Case("the environment at the start", AT_START, env=A, own={"OWN": "7"}),
    Case("a large environment", SHOW, own={f"V{n}": "x" * 90_000 for n in range(3)}),
    Case(
        "a name for folders that are temporary",
        "import tempfile; print(tempfile.gettempdir(), tempfile.tempdir)",
        own={"TMPDIR": "/var"},
    ),
    Case("flags", FLAGS),
    Case("option -u", FLAGS, options=("-u",)),
    Case("PYTHONUNBUFFERED", FLAGS, env={"PYTHONUNBUFFERED": "1"}),
    Case("option -O", FLAGS + "assert False", options=("-O",)),
    Case("option -OO", FLAGS, options=("-OO",)),
    Case("option -B", FLAGS + "import helper", options=("-B",), files={"helper.py": ""}),
    Case("no option -B", "import helper; print(helper.__cached__)", files={"helper.py": ""}),
    Case("option -b", FLAGS + "print(b'' == '')", options=("-bb",)),
    Case("option -W", FLAGS, options=("-W", "ignore::UserWarning", "-Wdefault::BytesWarning")),
    Case(
        "option -W error",
        "import numpy, warnings; print(warnings.filters[:5]); warnings.warn('so')",
        options=("-W", "error::UserWarning"),
    ),
    Case("option -X utf8", FLAGS, options=("-X", "utf8=0"), env={"LC_ALL": "POSIX"}),
    Case("option -X dev", FLAGS, options=("-X", "dev"), imports=("json", "random")),
    Case("option -X of ours", FLAGS, options=("-X", "mine=1", "-Xfrozen_imports=off")),
    Case(
        "option -X tracemalloc",
        "import tracemalloc; x = bytes(10**6)\n"
        "print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())\n"
        "print(tracemalloc.get_object_traceback(x))",
        options=("-X", "tracemalloc=3"),
        imports=("json",),
    ),
    Case("option -X importtime", "import colorsys", options=("-v",), cold="prints", long=True),
    Case(
        "option -X faulthandler",
        "import os; os.abort()",
        options=("-X", "faulthandler"),
        imports=("json",),
    ),
    Case(
        "option -I",
        PATHS := "import sys; print(sys.flags, sys.path)",
        options=("-I",),
        cold="Its warm parent (ended while importing its first|could not be started)",
    ),
    Case(
        "option -S",
        PATHS,
        options=("-S",),
        cold="Its warm parent (ended while importing its first|could not be started)",
    ),
    Case("PYTHONHASHSEED", HASHES, env={"PYTHONHASHSEED": "42"}),
    Case("PYTHONHASHSEED 0", HASHES, env={"PYTHONHASHSEED": "0"}),
    Case("PYTHONIOENCODING", FLAGS + "print('ü')", env={"PYTHONIOENCODING": "latin-1:replace"}),
    Case("PYTHONWARNINGS", FLAGS, env={"PYTHONWARNINGS": "ignore::UserWarning"}),
    Case("PYTHONOPTIMIZE", FLAGS, env={"PYTHONOPTIMIZE": "2"}),
    Case(
        "PYTHONPYCACHEPREFIX",
        "import sys, helper; print(sys.pycache_prefix, helper.__cached__)",
        env={"PYTHONPYCACHEPREFIX": "/dev/null/cache"},
        files={"helper.py": ""},
    ),
    Case("PYTHONUTF8", FLAGS + SAID, env={"PYTHONUTF8": "1", "LC_ALL": "C"}),
    Case("a locale of C that is coerced", SAID, env={"LANG": "C"}),
    Case("a locale of C that is not coerced", SAID, env={"LANG": "C", "PYTHONCOERCECLOCALE": "0"}),
    Case("a locale that does not exist", SAID, env={"LANG": "xx_YY.UTF-8"}),
    Case("a time zone", SAID, env={"TZ": "Asia/Tokyo"}),
    Case("a variable that the library reads at import", SHOW, env={"OPENBLAS_NUM_THREADS": "2"}),
    Case(
        "PYTHONFAULTHANDLER",
        "import ctypes; ctypes.string_at(0)",
        env={"PYTHONFAULTHANDLER": "1"},
        imports=("json",),
    ),
    Case(
        "PYTHONNOUSERSITE",
        "import site, sys; print(site.ENABLE_USER_SITE, sys.flags.no_user_site)",
        env={"PYTHONNOUSERSITE": "1"},
        imports=(*LIGHT, "colorsys"),
    ),
    Case(
        "PYTHONBREAKPOINT",
        "breakpoint(); print('on')",
        env={"PYTHONBREAKPOINT": "builtins.print"},
    ),
]
