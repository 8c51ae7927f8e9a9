"""Standard input, output and error."""

from tests.runners.warm.stage import Case

ORDER = """
import os, sys
print("one"); os.write(1, b"two\\n"); sys.stdout.write("three"); sys.stdout.buffer.write(b"four")
sys.stdout.flush(); os.write(1, b"\\nfive\\n"); print("six", end="")
print("err one", file=sys.stderr); os.write(2, b"err two\\n"); sys.stderr.write("err three")
os.write(2, b"err four\\n")
"""
CHILDREN = """
import os, subprocess, sys
print("mine, late"); subprocess.run(["echo", "child"]); os.system("echo shell; echo bad >&2")
subprocess.run([sys.executable, "-c", "print(1); import sys; print(sys.stdin.read())"], input=b"x")
sys.stdout.flush(); subprocess.run(["cat"])
"""
FORMS = """
import io, os, stat, sys
for f in (sys.stdin, sys.stdout, sys.stderr):
    mode = os.fstat(f.fileno()).st_mode
    print(f.name, f.mode, f.isatty(), f.encoding, f.errors, f.newlines, f.line_buffering, f.closed)
    print(stat.S_ISFIFO(mode), stat.S_ISCHR(mode), type(f.buffer), f.fileno())
    print(os.get_inheritable(f.fileno()), os.get_blocking(f.fileno()))
import fcntl
print([oct(fcntl.fcntl(n, fcntl.F_GETFL)) for n in range(3)])
"""
READS = """
import os, select, sys
print(repr(sys.stdin.read()), repr(sys.stdin.readline()), os.read(0, 5), sys.stdin.isatty())
print(select.select([0], [], [], 0)[0], os.readlink("/proc/self/fd/0"))
try:
    os.write(0, b"x")
except OSError as error:
    print(error)
try:
    os.get_terminal_size()
except OSError as error:
    print(error)
try:
    open("/dev/tty")
except OSError as error:
    print(error)
input("more? ")
"""
DEVICES = """
import sys
with open("/dev/stdout", "w") as out: out.write("by name\\n")
with open("/dev/stderr", "w") as err: err.write("by name too\\n")
with open("/dev/fd/1", "w") as out: out.write("by number\\n")
"""
REPLACED = """
import contextlib, io, os, sys
with contextlib.redirect_stdout(io.StringIO()) as text:
    print("caught")
print(text.getvalue())
sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), "utf-16")
print("wide"); sys.stdout.flush()
sys.stdout = sys.__stdout__; sys.stdout.reconfigure(encoding="latin-1", line_buffering=True)
print("ü"); print("\\u20ac")
"""
DESCRIPTORS = """
import os
with os.scandir("/proc/self/fd") as entries:
    names = sorted(int(e.name) for e in entries)
print(names[:3], len(names), [os.readlink(f"/proc/self/fd/{n}")[:5] for n in names[:3]])
print(open("x", "w").fileno(), os.dup(0), os.pipe())
import socket; print(socket.socket().fileno())
"""

CASES = [
    Case("order within a stream", ORDER),
    Case("order within a stream without buffers", ORDER, options=("-u",)),
    Case("output of children among its own", CHILDREN),
    Case("forms of the streams", FORMS),
    Case("reading where there is nothing to read", READS),
    Case("streams by their names", DEVICES),
    Case("streams that are replaced", REPLACED),
    Case("open descriptors", DESCRIPTORS),
    Case("no newline at the end", "print('a', end='')"),
    Case("much output", "import sys\nfor n in range(60000): print(n, 'x' * (n % 50))\n"
         "sys.stderr.write('e' * 300000)"),
    Case("output beyond the cap", "import sys\nfor n in range(20000): print(n)\nsys.exit(4)",
         limits={"log_cap_bytes": 10_000}),
    Case("bytes that are no text", "import sys; sys.stdout.buffer.write(bytes(range(256)))"),
    Case("text that cannot be encoded", "print('fine'); print('\\udcff')"),
    Case("output that is closed", "import sys; print(1); sys.stdout.close()"),
    Case("a descriptor that is closed", "import os; print(1); os.close(1)"),
    Case("an error stream that is closed", "import os; os.close(2); 1/0"),
    Case("secrets in the output", "print('before s3cr3t-words after')",
         limits={"secrets": ("s3cr3t-words",)}),
    Case("warnings on the error stream", "import warnings\nwarnings.warn('old')\nwarnings.warn("
         "'old')\ndef f(): warnings.warn('dep', DeprecationWarning, stacklevel=2)\nf(); f()\n"
         "warnings.simplefilter('always'); f()\nopen(__file__)\n"),
    Case("logging", "import logging, sys\nlogging.warning('root')\nprint(logging.root.handlers)\n"
         "logging.basicConfig(level=1, force=True, format='%(levelname)s %(name)s %(lineno)d "
         "%(filename)s %(processName)s %(threadName)s %(module)s')\n"
         "logging.getLogger('a.b').debug('x'); logging.captureWarnings(True)\n"
         "import warnings; warnings.warn('w'); logging.exception('none')\n"
         "r = logging.makeLogRecord({})\n"
         "print(0 <= r.relativeCreated < 20000, r.process == __import__('os').getpid(), logging.raiseExceptions)"),
    Case("a progress bar", "import sys\nfor n in range(5):\n    sys.stderr.write(f'\\r{n}/5')\n"
         "    sys.stderr.flush()"),
]  # fmt: skip
