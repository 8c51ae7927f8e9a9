"""Processes and threads that a script starts."""

from tests.runners.warm.stage import Case

POOL = """
import multiprocessing as mp, os, sys, random
class Box:
    def __init__(self, n): self.n = n
    def __repr__(self): return f"Box({self.n})"
def square(box):
    return Box(box.n ** 2), mp.current_process().name[:10], __name__, os.getppid() == PARENT
PARENT = os.getpid()
if __name__ == "__main__":
    context = mp.get_context(sys.argv[1])
    print(mp.get_start_method(allow_none=True), mp.current_process(), mp.parent_process())
    with context.Pool(2) as pool:
        found = pool.map(square, [Box(n) for n in range(4)])
    print([(a, b[:4], c) for a, b, c, d in found], [d for *_, d in found][:1])
    q = context.SimpleQueue()
    p = context.Process(target=q.put, args=(5,), name="mine"); p.start(); print(q.get()); p.join()
    print(p, p.exitcode) if 0 else print(p.name, p.exitcode, mp.active_children())
    bad = context.Process(target=sys.exit, args=(3,)); bad.start(); bad.join(); print(bad.exitcode)
"""
MANAGED = """
import multiprocessing as mp, os
from multiprocessing import shared_memory
def add(d, n): d[n] = n * n
if __name__ == "__main__":
    with mp.Manager() as manager:
        d = manager.dict()
        ps = [mp.Process(target=add, args=(d, n)) for n in range(3)]
        [p.start() for p in ps]; [p.join() for p in ps]; print(sorted(d.items()))
    v = mp.Value("i", 5); a = mp.Array("d", [1, 2]); print(v.value, a[:], mp.Lock(), mp.cpu_count())
    m = shared_memory.SharedMemory(create=True, size=10); m.buf[0] = 7; print(m.buf[0])
    m.close(); m.unlink()
    left, right = mp.Pipe(); left.send([1]); print(right.recv())
    print(mp.current_process().authkey != b"", mp.current_process()._identity)
"""
FUTURES = """
import concurrent.futures as f, threading, os, sys
def work(n):
    return n * n
def name():
    return threading.current_thread().name
if __name__ == "__main__":
    with f.ThreadPoolExecutor(2) as pool: print(list(pool.map(work, range(5))))
    with f.ThreadPoolExecutor(1) as pool: print(pool.submit(name).result())
    with f.ProcessPoolExecutor(2) as pool:
        print(list(pool.map(work, range(5))), pool.submit(int, "7").result())
        try:
            pool.submit(int, "x").result()
        except ValueError as error:
            print(error, type(error.__cause__).__name__)
    with f.ProcessPoolExecutor(1) as pool:
        try:
            pool.submit(os._exit, 3).result()
        except f.process.BrokenProcessPool as error:
            print(type(error).__name__)
"""
JOBLIB = """
import joblib, os, sys
def work(n):
    return n + 1
class Mine:
    def __init__(self, n): self.n = n
def make(n): return Mine(n)
if __name__ == "__main__":
    for backend in sys.argv[1:]:
        with joblib.parallel_backend(backend, n_jobs=2):
            print(backend, joblib.Parallel()(joblib.delayed(work)(n) for n in range(6)))
            print([m.n for m in joblib.Parallel()(joblib.delayed(make)(n) for n in range(3))])
    memory = joblib.Memory("cache", verbose=0); print(memory.cache(work)(3), os.path.isdir("cache"))
    import shutil; shutil.rmtree("cache")
    print(joblib.effective_n_jobs(-1) == len(os.sched_getaffinity(0)), joblib.hash([1, "a"]))
"""
SAME = """
import subprocess, sys, os
run = subprocess.run([sys.executable, *sys.orig_argv[1:], "again"], capture_output=True, text=True) \
    if "again" not in sys.argv else None
print(sys.argv, sys.flags.optimize, sys.path[0] == os.getcwd(), os.environ.get("A"))
if run: print(run.stdout, run.stderr, run.returncode)
"""
SUB = """
import subprocess, sys, os
print(subprocess.run([sys.executable, "-c", "import sys; print(sys.path, sys.argv)"],
    capture_output=True, text=True))
print(subprocess.run("exit 3", shell=True).returncode, subprocess.getoutput("pwd"))
p = subprocess.Popen(["sleep", "60"]); p.kill(); print(p.wait())
try:
    subprocess.run(["sleep", "60"], timeout=0.1)
except subprocess.TimeoutExpired as error: print(error.cmd)
try:
    subprocess.run(["no-such-program"])
except OSError as error: print(error)
print(subprocess.check_output(["sh", "-c", "cat /proc/self/comm; ls /proc/self/fd | wc -l"]))
print(os.spawnlp(os.P_WAIT, "true", "true"), os.posix_spawn("/bin/true", ["true"], {}) > 0)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
FORK = """
import os, sys, threading, signal
print("buffered twice")
pid = os.fork()
if pid == 0:
    print("child", os.getppid() == PARENT if (PARENT := os.getppid()) else 0)
    sys.exit(4)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
orphan = os.fork()
if orphan == 0:
    middle = os.getpid()
    if os.fork() == 0:
        import time
        while os.getppid() == middle: time.sleep(0.01)
        name = open(f"/proc/{os.getppid()}/comm").read()
        os.write(1, b"adopted by " + name.encode()); os._exit(0)
    os._exit(0)
os.waitpid(orphan, 0); import time; time.sleep(0.5)
try:
    os.wait()
except ChildProcessError as error: print(error)
r, w = os.pipe()
os.register_at_fork(before=lambda: print("before"), after_in_parent=lambda: print("after"))
if os.fork() == 0: os._exit(0)
os.wait()
import pty
pid, fd = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", "test -t 0 && echo terminal"])
print(os.read(fd, 100)); os.wait()
"""
THREADS = """
import threading, os, sys, _thread
main = threading.main_thread()
print(main.name, main.ident == threading.get_ident(), main is threading.current_thread())
print(main.native_id == os.getpid() == threading.get_native_id(), main.daemon, main.is_alive())
print(threading.active_count(), threading.enumerate() == [main], _thread._count())
print(len(os.listdir("/proc/self/task")), threading.stack_size(), sys.getswitchinterval())
print(threading.Thread().name, threading.Thread(target=len).name)
local = threading.local(); local.x = 1
def work(): print(threading.current_thread().name, hasattr(local, "x"), threading.active_count())
t = threading.Thread(target=work); t.start(); t.join()
t = threading.Timer(0.01, print, ("timer",)); t.start(); t.join()
print(threading.excepthook is threading.__excepthook__, threading.gettrace())
lock = threading.RLock(); print(lock.acquire())
"""
LOOP = """
import asyncio, sys, threading, contextvars, socket
async def main():
    server = await asyncio.start_server(lambda r, w: (w.write(b"hi"), w.close()), "127.0.0.1", 0)
    r, w = await asyncio.open_connection(*server.sockets[0].getsockname()); print(await r.read())
    w.close(); server.close()
    print(await asyncio.gather(*(asyncio.sleep(0.01, n) for n in range(3))))
    async with asyncio.TaskGroup() as group: task = group.create_task(asyncio.sleep(0, 5))
    print(task.result(), asyncio.current_task().get_name(), asyncio.get_event_loop_policy().__class__)
    asyncio.create_task(asyncio.sleep(60), name="left")
    raise ValueError("in the loop")
print(asyncio._get_running_loop(), contextvars.copy_context().keys() == set())
asyncio.run(main())
"""
PROC_NAME = """
import os, sys
print(open("/proc/self/comm").read(), os.readlink("/proc/self/exe") != "", os.readlink("/proc/self/cwd"))
f = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
print(f["Name"], f["State"], f["Threads"], f["NoNewPrivs"], f["Seccomp"], f["Umask"], f["CapEff"])
print([f[k] for k in ("Uid", "Gid", "Groups", "CapInh", "CapBnd", "CapAmb", "TracerPid")])
text = open("/proc/self/cmdline").read()
print(text.replace("\\0", " ").strip())
print(open("/proc/self/oom_score_adj").read(), open("/proc/self/coredump_filter").read())
print(open("/proc/self/autogroup").read()[:2] if 0 else "", open("/proc/self/timerslack_ns").read())
"""
START = 'if __name__ == "__main__":'

CASES = [
    *(Case(f"multiprocessing by {how}", POOL, (how,)) for how in ("fork", "spawn", "forkserver")),
    Case("multiprocessing of a module", POOL, ("spawn",), word=("-m", "train"), long=True),
    Case("multiprocessing without a guard for the main module",
         "import multiprocessing as mp\nmp.set_start_method('spawn')\n"
         "p = mp.Process(target=print); p.start(); p.join(); print(p.exitcode)"),
    Case("managers, queues and shared memory", MANAGED),
    Case("concurrent.futures", FUTURES),
    Case("joblib in threads and processes", JOBLIB, ("threading", "loky", "multiprocessing")),
    Case("the same command again", SAME, ("a b",), options=("-O",), env={"A": "1"}),
    Case("other programs", SUB),
    Case("forks", FORK),
    Case("threads", THREADS, imports=("json", "threading", "concurrent.futures", "asyncio")),
    Case("a loop of events", LOOP),
    Case("how a process shows", PROC_NAME, imports=("json",)),
    Case("a pool that is left open", "from multiprocessing import Pool\n" + START +
         "\n    p = Pool(2); print(p.map(abs, [-1, 2]))"),
    Case("a process in the background", "import multiprocessing as m, time\n" + START +
         "\n    m.Process(target=time.sleep, args=(600,), daemon=True).start(); print('end')"),
    Case("a deadlock is ended by the limit", "import threading\nlock = threading.Lock()\n"
         "print('once', flush=True); lock.acquire(); lock.acquire()",
         limits={"time_limit_s": 1.0}),
]  # fmt: skip
