"""A real Slurm of one node for tests: brought by apt, started on private ports and paths."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.bringing import try_to
from tests.servers import free_port

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
NODE = "sweepnode"
CPUS = 8


def find_slurm() -> bool:
    """Whether all of Slurm's programs are on this machine."""
    return all(_path(name) for name in PROGRAMS)


def bring_slurm() -> bool:
    """Slurm, installed if that can be done here; False where nothing works."""
    if not find_slurm() and os.geteuid() == 0 and shutil.which("apt-get"):
        try_to(["apt-get", "update", "-qq"])
        words = ["-y", "-qq", "--no-install-recommends", "slurm-wlm", "munge"]
        try_to(["apt-get", "install", *words])
    return find_slurm()


def _path(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


@dataclass
class Cluster:
    """A cluster of one node: controller, node and key service, each a process of ours."""

    home: Path
    controller_port: int = field(default_factory=free_port)
    node_port: int = field(default_factory=free_port)
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def conf(self) -> Path:
        """What SLURM_CONF is to name."""
        return self.home / "slurm.conf"

    def write(self) -> None:
        """Its folders, key and configuration."""
        for name in ("state", "spool", "munge"):
            (self.home / name).mkdir(mode=0o755, parents=True)
        key = self.home / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self.conf.write_text(self._configuration())
        (self.home / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")

    def _configuration(self) -> str:
        user = pwd.getpwuid(os.geteuid()).pw_name
        return f"""
ClusterName=sweeps
SlurmctldHost={socket.gethostname()}(127.0.0.1)
SlurmctldPort={self.controller_port}
SlurmdPort={self.node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={self.home}/munge/socket
StateSaveLocation={self.home}/state
SlurmdSpoolDir={self.home}/spool
SlurmctldPidFile={self.home}/slurmctld.pid
SlurmdPidFile={self.home}/slurmd.pid
SlurmctldLogFile={self.home}/slurmctld.log
SlurmdLogFile={self.home}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_min_interval=0,sched_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=10
KillWait=5
MinJobAge=60
MessageTimeout=5
NodeName={NODE} NodeHostname={socket.gethostname()} NodeAddr=127.0.0.1 CPUs={CPUS} \
  RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes={NODE} Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes={NODE} MaxTime=1 State=UP
PartitionName=closed Nodes={NODE} MaxTime=INFINITE State=DOWN
"""

    def start(self) -> None:
        """Start all three, and wait until the node may run jobs."""
        munge = self.home / "munge"
        self._run(
            "munged", "--foreground", "--force", f"--key-file={munge / 'key'}",
            f"--socket={munge / 'socket'}", f"--pid-file={munge / 'pid'}",
            f"--log-file={munge / 'log'}", f"--seed-file={munge / 'seed'}",
        )  # fmt: skip
        _until(lambda: (munge / "socket").exists(), "munged", self)
        self.start_controller()
        self.start_node()
        _until(self.is_idle, "the node", self)

    def start_controller(self) -> None:
        """slurmctld, from the state that it has."""
        self._run("slurmctld", "-D", "-f", str(self.conf))

    def start_node(self) -> None:
        """slurmd, which finds jobs again that went on without it."""
        self._run("slurmd", "-D", "-f", str(self.conf), "-N", NODE)

    def kill(self, name: str) -> None:
        """SIGKILL one of the three."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def ask(self, *words: str) -> str:
        """What one of Slurm's programs prints."""
        environment = {**os.environ, "SLURM_CONF": str(self.conf)}
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout if done.returncode == 0 else f"({done.stderr.strip()})"

    def is_idle(self) -> bool:
        """Whether the node waits for jobs."""
        return self.ask("sinfo", "-h", "-p", "main", "-o", "%T").strip() == "idle"

    def heal(self) -> None:
        """Bring it back after something was killed: no job of before, and a node that takes new
        ones. A controller that was killed may start a job anew, finds it running, and drains its
        node."""

        def is_well() -> bool:
            self.ask("scancel", f"--user={os.geteuid()}")
            if self.ask("squeue", "-h").strip():
                return False
            if not self.is_idle():
                self.resume()
            return self.is_idle()

        _until(is_well, "a cluster that is well again", self)

    def resume(self) -> None:
        """Let a node that was drained take jobs again."""
        self.ask("scontrol", "update", f"NodeName={NODE}", "State=RESUME")

    def end(self) -> None:
        """Stop all, jobs first."""
        self.ask("scancel", f"--user={os.geteuid()}", "--signal=KILL", "--full")
        self.ask("scancel", f"--user={os.geteuid()}")
        for name in ("slurmd", "slurmctld", "munged"):
            if process := self.processes.pop(name, None):
                process.terminate()
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def told(self) -> str:
        """The last lines of its logs, for when it does not start."""
        logs = [self.home / f"{name}.log" for name in ("slurmctld", "slurmd")]
        logs.append(self.home / "munge" / "log")
        return "\n".join(f"{log}:\n{log.read_text()[-1500:]}" for log in logs if log.exists())

    def _run(self, name: str, *words: str) -> None:
        program = _path(name)
        assert program, name
        self.processes[name] = subprocess.Popen(
            [program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=self.home, start_new_session=True,
        )  # fmt: skip


def _until(probe: "object", what: str, cluster: Cluster, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not probe():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"Waited in vain for {what}.\n{cluster.told()}"
        time.sleep(0.05)


@contextmanager
def slurm(home: Path) -> Iterator[Cluster]:
    """A cluster for the time of a block; SLURM_CONF names it to this process and its children."""
    cluster = Cluster(home)
    cluster.write()
    former = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(cluster.conf)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.end()
        with suppress(KeyError):
            del os.environ["SLURM_CONF"]
        if former is not None:
            os.environ["SLURM_CONF"] = former
