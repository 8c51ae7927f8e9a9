"""A hostile trial: tries what a program must not be able to do to a studio, and says what worked.

Needs nothing but a Python 3. Nothing here destroys: what could be written is opened and left
alone, signals are number 0. `config.json` beside it says where things are; the argument is its
input.
"""

import ctypes
import json
import os
import resource
import sys
import time
import urllib.error
import urllib.request

# Before anything is opened; the one beyond these is the look's own.
KEPT = {*os.listdir("/proc/self/fd")} - {"0", "1", "2", "3"}
with open("config.json") as file:
    AT = json.load(file)
HOME, SPOOL = AT["home"], os.path.dirname(os.getcwd())
SHIM = os.getppid()
PARTS = [AT["pids"][name] for name in ("web", "queue", "engine", "tracking")]
LIBC = ctypes.CDLL(None, use_errno=True)


def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def watchers():
    return [SHIM, parent(SHIM)]


def reads(*paths):
    """True if one of them can be read; one that is not there is a mistake of ours."""
    done = False
    for path in paths:
        try:
            with open(path, "rb") as file:
                file.read(16)
            done = True
        except PermissionError:
            continue
    return done


def lists(*paths):
    done = False
    for path in paths:
        try:
            done = bool(os.listdir(path)) or done
        except PermissionError:
            continue
    return done


def writes(*paths):
    """True if one can be opened to write, or, as a folder, have a file made in it."""
    for path in paths:
        target = os.path.join(path, ".probe") if os.path.isdir(path) else path
        try:
            is_new = not os.path.lexists(target)
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError:
            continue
        if is_new:
            os.unlink(target)
        return True
    return False


def signals(*pids):
    for pid in pids:
        try:
            os.kill(pid, 0)
            return True
        except PermissionError:
            continue
    return False


def traces(*pids):
    """PTRACE_SEIZE, and PTRACE_DETACH by the exit of whoever traced; memory; descriptors."""
    for pid in pids:
        if os.access(f"/proc/{pid}/mem", os.R_OK) and reads(f"/proc/{pid}/maps"):
            return True
        buffer = ctypes.create_string_buffer(8)
        if LIBC.syscall(438, os.pidfd_open(pid), 0, 0) >= 0:  # pidfd_getfd
            return True
        if LIBC.ptrace(0x4206, pid, None, None) == 0:
            LIBC.ptrace(17, pid, None, None)
            return True
        del buffer
    return False


def ask(url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers |= {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def log_metric(run, key="probe"):
    body = {"run_id": run, "key": key, "value": 1.0, "timestamp": int(time.time() * 1000)}
    uri, token = os.environ["MLFLOW_TRACKING_URI"], os.environ["MLFLOW_TRACKING_TOKEN"]
    return ask(f"{uri}/api/2.0/mlflow/runs/log-metric", body, Authorization=f"Bearer {token}")


def listening():
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file.read().splitlines()[1:]]
    return sorted({int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A"})


def asks_tracking():
    """Every port of this machine, as MLflow's server would be asked."""
    ports = [port for port in listening() if port != AT["port"]]
    path = "api/2.0/mlflow/experiments/search?max_results=1"
    found = [ask(f"http://127.0.0.1:{port}/{path}") for port in ports if port in AT["ports"]]
    assert found, "there is no tracking server"
    return any(code == 200 for code in found)


def becomes_root():
    for turn in (lambda: os.setuid(0), lambda: os.setgroups([0]), lambda: os.setgid(0)):
        try:
            turn()
            return True
        except PermissionError:
            continue
    return False


def links(*paths):
    """A hard link in its own outputs: whoever reads that as root would read the file."""
    for number, path in enumerate(paths):
        try:
            os.link(path, os.path.join("outputs", f"hard{number}"))
            return True
        except OSError:
            continue
    return False


def rings():
    try:
        os.close(os.open(f"{HOME}/engine.bell", os.O_WRONLY | os.O_NONBLOCK))
        return True
    except PermissionError:
        return False


def is_unlimited():
    _soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    if hard == resource.RLIM_INFINITY or hard > 5000:
        return True
    try:
        resource.setrlimit(resource.RLIMIT_NPROC, (hard + 1, hard + 1))
        return True
    except (ValueError, PermissionError):
        return False


OTHER = AT["other"]
PROBES = {
    "read the studio's database": lambda: reads(f"{HOME}/studio.db"),
    "read the queue": lambda: reads(f"{HOME}/huey.db"),
    "read MLflow's store": lambda: reads(f"{HOME}/mlflow.db"),
    "read the studio's key": lambda: reads(f"{HOME}/secret_key"),
    "read the tracking server's secret": lambda: reads(f"{HOME}/tracking_secret"),
    "see what is in the home": lambda: lists(HOME, f"{HOME}/trials", f"{HOME}/users"),
    "read the environment of the studio's processes": lambda: reads(
        *(f"/proc/{pid}/environ" for pid in PARTS)
    ),
    "read the environment of guard and shim": lambda: reads(
        *(f"/proc/{pid}/environ" for pid in watchers())
    ),
    "trace the studio, guard or shim": lambda: traces(*watchers(), *PARTS),
    "signal guard and shim": lambda: signals(*watchers()),
    "signal the studio's processes": lambda: signals(*PARTS),
    "keep a descriptor of the studio's": lambda: bool(KEPT),
    "read launch records": lambda: reads(f"{SPOOL}/launch.json", f"{OTHER['spool']}/launch.json"),
    "forge its result, stop or heartbeat": lambda: writes(
        SPOOL, f"{SPOOL}/heartbeat", f"{SPOOL}/shim.json", f"{SPOOL}/launch.json"
    ),
    "read another workspace's code": lambda: lists(f"{HOME}/code", f"{HOME}/code/{OTHER['code']}"),
    "read another workspace's trial": lambda: (
        reads(f"{OTHER['spool']}/stdout.log", f"{OTHER['spool']}/outputs/secret.txt")
        or lists(OTHER["spool"], f"{OTHER['spool']}/work", os.path.dirname(OTHER["spool"]))
    ),
    "read another workspace's artifacts": lambda: lists(f"{HOME}/artifacts"),
    "read another workspace's data": lambda: (
        lists(f"{HOME}/data", os.path.dirname(AT["data"])) or reads(AT["data"])
    ),
    "signal another workspace's trial": lambda: signals(OTHER["pid"]),
    "read another workspace's process": lambda: reads(f"/proc/{OTHER['pid']}/environ"),
    "write another run": lambda: log_metric(OTHER["run"]) == 200,
    "ask the tracking server directly": asks_tracking,
    "ring the engine's bell": rings,
    "become root": becomes_root,
    "link a closed file into its outputs": lambda: links(
        f"{HOME}/secret_key", f"{HOME}/studio.db", f"{SPOOL}/launch.json"
    ),
    "write code that other trials run": lambda: writes(
        f"{HOME}/code", f"{HOME}/code/{AT['code']}", f"{HOME}/code/{AT['code']}/probes.py"
    ),
    "write its inputs": lambda: writes(sys.argv[1], os.path.dirname(sys.argv[1])),
    "poison packages, programs and the studio's own folders": lambda: writes(
        f"{HOME}/environments", f"{HOME}/environments/cache", HOME, *AT["poison"]
    ),
    "have no limit to its processes": is_unlimited,
}


def leave_things():
    """What is looked for when the trial has ended: a process, links, a file in memory."""
    for name, target in (("soft", f"{HOME}/secret_key"), ("dir", HOME)):
        for folder in ("outputs", os.environ["SWEEP_OUTPUT_DIR"]):
            os.symlink(target, os.path.join(folder, name))
    with open("/dev/shm/" + AT["mark"] + str(os.getuid()), "w") as file:
        file.write("leftover")
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(
                sys.executable,
                [sys.executable, "-c", "import time; time.sleep(600)", AT["mark"]],
                {},
            )
        os._exit(0)


def main():
    found = {}
    for name, probe in PROBES.items():
        try:
            found[name] = bool(probe())
        except Exception as error:  # a mistake of ours, and told as one
            found[name] = f"{type(error).__name__}: {error}"
    leave_things()
    logged = log_metric(os.environ["MLFLOW_RUN_ID"], "loss")
    with open(sys.argv[1]) as file:
        own_input = file.read()
    with open(os.path.join(os.environ["SWEEP_OUTPUT_DIR"], "good.txt"), "w") as file:
        file.write("kept")
    os.chmod(file.name, 0o6777)  # must be no program of whoever keeps it
    print(
        json.dumps({"uid": os.getuid(), "logged": logged, "input": own_input, "found": found}),
        flush=True,
    )


main()
