"""Signals: what is set, and what they do."""

from tests.runners.warm.stage import Case

ALL = """
import signal
for number in sorted(signal.valid_signals()):
    handler = signal.getsignal(number)
    print(int(number), getattr(handler, "__name__", handler))
print(signal.pthread_sigmask(signal.SIG_BLOCK, ()), signal.sigpending())
print(signal.set_wakeup_fd(-1), signal.getitimer(signal.ITIMER_REAL), signal.alarm(0))
fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
print([(k, fields[k].strip()) for k in ("SigQ", "SigBlk", "SigIgn", "SigCgt", "ShdPnd")][1:])
"""
KILLS = """
import os, signal, sys, atexit
atexit.register(print, "at exit"); print("up", flush=True)
os.kill(os.getpid(), signal.{}); import time; time.sleep(5); print("on")
"""
HANDLED = """
import os, signal, sys, threading
def handle(number, frame):
    # A child's end comes when it comes, and interrupts whatever is at work.
    print("got", number, number != signal.SIGCHLD and (frame.f_code.co_name, frame.f_lineno))
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
    print(signal.signal(number, handle)); os.kill(os.getpid(), number)
signal.raise_signal(signal.SIGUSR1)
os.killpg(os.getpgid(0), signal.SIGHUP)
print(threading.current_thread() is threading.main_thread())
pid = os.fork()
if pid == 0: os._exit(0)
os.waitpid(pid, 0); print("done")
"""
ALARM = """
import signal, time
class Late(Exception): pass
def late(*_): raise Late
signal.signal(signal.SIGALRM, late); signal.setitimer(signal.ITIMER_REAL, 0.1)
try:
    time.sleep(30)
except Late:
    print("late")
print(signal.sigtimedwait([signal.SIGUSR1], 0.01))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]); signal.raise_signal(signal.SIGUSR1)
print(signal.sigwait([signal.SIGUSR1]))
signal.signal(signal.SIGALRM, signal.SIG_DFL); signal.alarm(1); time.sleep(30)
"""
PIPES = """
import os, signal, subprocess, sys
reader, writer = os.pipe(); os.close(reader)
try:
    os.write(writer, b"x")
except BrokenPipeError as error:
    print(error)
print(subprocess.run("yes | head -1", shell=True, capture_output=True).stdout)
print(subprocess.run(["sh", "-c", "trap"], capture_output=True).stdout)
code = "import signal; print(*(int(n) for n in signal.valid_signals() if signal.getsignal(n) == 1))"
print(subprocess.run([sys.executable, "-c", code], capture_output=True).stdout)
sys.stdout.flush()
if os.fork() == 0:
    print(open("/proc/self/status").read().split("SigIgn")[1].split()[1]); os._exit(0)
os.wait()
os.dup2(writer, 1); print("lost")
"""
GROUPS = """
import os
print(os.getpid() == os.getpgrp() == os.getsid(0) == os.getpgid(0), os.getppid() > 1)
print(os.getsid(os.getppid()) == os.getppid(), os.getpgid(os.getppid()) == os.getpgrp())
shim = open(f"/proc/{os.getppid()}/comm").read(); print(shim)
guard = open(f"/proc/{os.getppid()}/status").read().split("PPid:")[1].split()[0]
print(open(f"/proc/{guard}/comm").read())
try:
    os.setsid()
except PermissionError as error:
    print(error)
print(open(f"/proc/self/task/{os.getpid()}/children").read(), os.tcgetpgrp if 0 else "")
"""
ASYNC = """
import asyncio, signal, os
async def main():
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, done.set); os.kill(os.getpid(), signal.SIGTERM)
    await done.wait(); print("term")
    p = await asyncio.create_subprocess_exec("echo", "child", stdout=-1)
    print(await p.communicate(), p.returncode, await asyncio.to_thread(lambda: 5))
asyncio.run(main())
async def interrupted():
    os.kill(os.getpid(), signal.SIGINT); await asyncio.sleep(5)
asyncio.run(interrupted())
"""

CASES = [
    Case("all signals", ALL, imports=("json", "logging", "subprocess")),
    *(
        Case(f"killed by {name}", KILLS.format(name))
        for name in ("SIGTERM", "SIGKILL", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGSEGV")
    ),
    *(Case(f"not killed by {name}", KILLS.format(name).replace("sleep(5)", "sleep(0)"))
      for name in ("SIGCHLD", "SIGPIPE", "SIGCONT", "SIGWINCH")),
    Case("handlers", HANDLED),
    Case("alarms and waits", ALARM),
    Case("broken pipes", PIPES),
    Case("groups and sessions", GROUPS),
    Case("asyncio and signals", ASYNC),
    Case("interrupted in a C function", "import os, signal, threading, time\n"
         "threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
         "try:\n    time.sleep(30)\nexcept KeyboardInterrupt:\n    print('caught')"),
    Case("kill 0", "import os, signal; print(1, flush=True); os.kill(0, signal.SIGTERM)"),
    Case("faulthandler of the user", "import faulthandler, signal, os, sys\n"
         "print(faulthandler.is_enabled())\nfaulthandler.register(signal.SIGUSR1)\n"
         "os.kill(os.getpid(), signal.SIGUSR1)\nfaulthandler.dump_traceback()\n"
         "faulthandler.enable(); faulthandler._sigsegv()", imports=("json",)),
]  # fmt: skip
