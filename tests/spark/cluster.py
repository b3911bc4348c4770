"""A standalone Spark cluster on loopback: one master and two workers, as processes."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pyspark

HOME = Path(pyspark.__file__).parent
DEPLOY = "org.apache.spark.deploy"
START_SECONDS = 90
# For small data on two cores: what Java saves on compiling itself and Derby on waiting
# for the disk is more than half of the time.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dderby.system.durability=test"


class Cluster:
    """Processes that are all stopped in the end; ``folder`` keeps what they say."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.workers: list[subprocess.Popen] = []
        self._processes: list[subprocess.Popen] = []
        self._port, self._page = free_port(), free_port()
        self.url = f"spark://127.0.0.1:{self._port}"

    def __enter__(self):
        try:
            ports = ["--port", str(self._port), "--webui-port", str(self._page)]
            self._run(
                "master", f"{DEPLOY}.master.Master", "--host", "127.0.0.1", *ports
            )
            self._wait(lambda: self._state() is not None, "the master")
            for _ in range(2):
                self.add_worker()
            self._wait(lambda: self.alive() == 2, "two workers")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def add_worker(self) -> None:
        """Start one more worker of one core."""
        number = len(self.workers) + 1
        size = ["--cores", "1", "--memory", "2g"]
        place = ["--work-dir", str(self.folder / f"work-{number}")]
        page = ["--host", "127.0.0.1", "--webui-port", str(free_port())]
        name, worker = f"worker-{number}", f"{DEPLOY}.worker.Worker"
        self.workers.append(self._run(name, worker, *page, *size, *place, self.url))

    def kill_worker(self, number: int) -> None:
        """End a worker and its executors as a lost machine would, without a word."""
        kill_group(self.workers[number], signal.SIGKILL)

    def alive(self) -> int:
        """Return how many workers the master counts on."""
        state = self._state() or {"workers": []}
        return sum(worker["state"] == "ALIVE" for worker in state["workers"])

    def environment(self) -> dict[str, str]:
        """Return what a build needs to run on the cluster."""
        return {
            "SPARK_MASTER": self.url,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
            "JAVA_TOOL_OPTIONS": JAVA_OPTIONS,
        }

    def stop(self) -> None:
        """End every process that was started, and their children."""
        for process in reversed(self._processes):
            kill_group(process, signal.SIGTERM)
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            kill_group(process, signal.SIGKILL)
            process.wait()

    def _run(self, name: str, java_class: str, *arguments: str) -> subprocess.Popen:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [HOME / "bin" / "spark-class", java_class, *arguments],
                env=os.environ
                | {"SPARK_HOME": str(HOME), "SPARK_LOCAL_IP": "127.0.0.1"}
                | {"SPARK_DAEMON_MEMORY": "512m", "JAVA_TOOL_OPTIONS": JAVA_OPTIONS},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, executors included
            )
        self._processes.append(process)
        return process

    def _state(self) -> dict | None:
        try:
            page = f"http://127.0.0.1:{self._page}/json/"
            with urllib.request.urlopen(page, timeout=5) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def _wait(self, is_reached, what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not is_reached():
            ended = [p for p in self._processes if p.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = [p.read_text()[-2000:] for p in self.folder.glob("*.log")]
                raise RuntimeError(f"No sign of {what}:\n" + "\n".join(logs))
            time.sleep(0.5)


def kill_group(process: subprocess.Popen, how: int) -> None:
    """Signal a process and its children, if any are left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def has_java() -> bool:
    """Return whether there is a Java to run."""
    home = os.environ.get("JAVA_HOME")
    own = home and Path(home, "bin", "java").exists()
    return bool(own or shutil.which("java"))
