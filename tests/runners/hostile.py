"""A command that does not want to die: `hostile.py TOKEN SECONDS KIND...`

It and one descendant of each kind ignore SIGTERM and sleep; each carries TOKEN as an argument.
KIND: plain, setsid, clean (setsid and an empty environment), daemon (forked twice, clean).
With SECONDS = 0 the command itself exits as soon as the others are ready.
"""

import os
import signal
import subprocess
import sys
import time

SLEEPER = (
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "os.write(9, b'.'); os.close(9); time.sleep(600)"
)


def main(token: str, seconds: float, kinds: list[str]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    reader, writer = os.pipe()
    os.dup2(writer, 9)
    argv = [sys.executable, "-I", "-S", "-c", SLEEPER, token]
    for kind in kinds:
        if kind == "plain":
            subprocess.Popen(argv, pass_fds=[9])
        elif kind == "setsid":
            subprocess.Popen(argv, pass_fds=[9], start_new_session=True)
        elif kind == "clean":
            subprocess.Popen(argv, pass_fds=[9], start_new_session=True, env={})
        elif os.fork() == 0:
            subprocess.Popen(argv, pass_fds=[9], start_new_session=True, env={})
            os._exit(0)
    ready = b""
    while len(ready) < len(kinds):
        ready += os.read(reader, 16)
    print("all ready", flush=True)
    time.sleep(seconds)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3:])
