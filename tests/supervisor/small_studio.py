"""A supervisor over parts of a few lines: `small_studio.py HOME PORT NAME...`

Each NAME is a key of PARTS, perhaps with `=LABEL`, and a `+` before it if it waits for the witness.
Intervals are short; all else is the real thing.
"""

import os
import sys
from pathlib import Path

from studio.supervisor import home, part, probe, processes, supervisor
from studio.supervisor.fork import command
from studio.supervisor.lines import say

# Answers with HOME/states, or that every part is up; mute for good once HOME/mute exists.
WEB = """
import http.server, os, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        while os.path.exists("mute"):
            time.sleep(0.05)
        body = open("states", "rb").read()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
# Notes that it was asked to stop, then does.
ORDERLY = """
import os, signal
def stop(*_):
    with open("stops", "a") as file:
        file.write(os.environ["LABEL"] + "\\n")
    raise SystemExit
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGHUP, lambda *_: (open("hangup", "w"), stop()))
print("working", flush=True)
while True:
    signal.pause()
"""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("stubborn", flush=True)
while True:
    signal.pause()
"""
FALLS = "print('falling', flush=True); raise SystemExit(3)"
# Leaves a grandchild that ends after its parent: whoever adopts it has to reap it.
ORPHANS = """
import os, signal
if os.fork() == 0:
    if os.fork() == 0:
        open("orphan", "w").write(str(os.getpid()))
        while not os.path.exists("orphan-may-end"):
            os.sched_yield()
    os._exit(0)
os.wait()
print("orphaned", flush=True)
signal.pause()
"""
# Its worker outlives it in the same group, as a web server's may.
WORKS = """
import os, signal
if os.fork() == 0:
    open("worker", "w").write(str(os.getpid()))
while True:
    signal.pause()
"""
# Its server is a fork, replaced when it is killed, as is the process that forks it.
STANDS = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
import os, signal
from sweeps.tracking.stand_in import stand_in
def serve():
    print("serving", os.getpid(), flush=True)
    signal.pause()
print("imported", flush=True)
sys.exit(stand_in(serve))
"""
PARTS = {
    "web": WEB, "works": WORKS, "orderly": ORDERLY, "stubborn": STUBBORN, "falls": FALLS,
    "orphans": ORPHANS, "stands": STANDS,
}  # fmt: skip


def main(folder: Path, port: str, words: list[str]) -> int:
    """Supervise until a signal, as `manage.py studio` does."""
    os.chdir(folder)
    part.BACKOFF_S = (0.1, 0.4, 0.8)
    supervisor.PROBE_S, supervisor.PROBE_SOON_S = 0.1, 0.1
    supervisor.STARTUP_S, supervisor.UNHEALTHY_S = 1.0, 0.6
    supervisor.WITNESS_S = 0.8
    supervisor.TICK_S, probe.ANSWER_S = 0.02, 0.2
    held = home.lock(folder, "a test")
    for name in home.end_leftovers(folder):
        say("studio", f"ended {name}, left by an earlier start")
    processes.become_subreaper()
    parts = []
    for word in words:
        kind, _, label = word.removeprefix("+").partition("=")
        env = {"PORT": port, "LABEL": label or kind, "PYTHONUNBUFFERED": "1"}
        argv = (sys.executable, "-I", "-c", PARTS[kind])
        made = part.Part(label or kind, command(argv, env), grace_s=1.0, stable_s=60.0)
        made.seen_in_rows = made.name in ("engine", "queue")
        made.waits = word.startswith("+")
        made.heir = "stand-by" if kind == "stands" else ""
        parts.append(made)
    watch = supervisor.Supervisor(folder, parts, f"http://127.0.0.1:{port}/")
    with held:
        return watch.run(
            lambda: say("studio", "ready"),
            leave_trials=False,
            answers=lambda: say("studio", "web answers"),
            prepare=lambda: say("studio", "preparing"),
        )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
