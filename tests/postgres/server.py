"""A PostgreSQL server of the tests' own: loopback, a temporary folder, no root."""

import csv
import os
import shutil
import socket
import subprocess
from pathlib import Path

import psycopg

OWNER = {"PGUSER": "owner", "PGPASSWORD": "pass word of the owner"}
READER = {"PGUSER": "reader", "PGPASSWORD": "pass word of the reader"}


def programs() -> Path | None:
    """Return the folder of the newest initdb and pg_ctl; None where there is none."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]),
    )
    found = shutil.which("initdb") or (debian[-1] if debian else None)
    return Path(found).parent if found else None


class Server:
    """Runs while it is entered; `environment` is how libpq finds it."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._programs = programs()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.environment = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self._port),
            "PGDATABASE": "postgres",
            **OWNER,
        }

    def __enter__(self):
        # PostgreSQL refuses to run as root: root's tests run it as nobody.
        if os.getuid() == 0:
            shutil.chown(self._folder, "nobody")
        password = self._folder / "password"
        password.write_text(OWNER["PGPASSWORD"])
        self._run(
            "initdb", "--pgdata", self._data, "--username", OWNER["PGUSER"],
            "--pwfile", password, "--auth", "scram-sha-256", "--encoding", "UTF8",
            "--locale", "C", "--no-sync",
        )  # fmt: skip
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -k '{self._folder}' "
            "-c fsync=off -c log_statement=all -c timezone=Asia/Kathmandu "
            "-c datestyle=German"
        )
        self._run(
            "pg_ctl", "--pgdata", self._data, "--log", self._folder / "log", "--wait",
            "--options", options, "start",
        )  # fmt: skip
        return self

    def __exit__(self, *_):
        self._run("pg_ctl", "--pgdata", self._data, "--mode", "immediate", "stop")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program, *arguments):
        command = [str(self._programs / program), *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=self._folder,
            user="nobody" if os.getuid() == 0 else None,
            stdout=subprocess.DEVNULL,  # a pipe would stay open in the server
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}"

    def connect(self) -> psycopg.Connection:
        names = {"PGHOST": "host", "PGPORT": "port", "PGDATABASE": "dbname"}
        names |= {"PGUSER": "user", "PGPASSWORD": "password"}
        given = {names[name]: value for name, value in self.environment.items()}
        return psycopg.connect(autocommit=True, **given)

    def execute(self, sql: str, values=None):
        with self.connect() as connection:
            return connection.execute(sql, values)

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def load_csv(self, name: str, path: Path, types: dict[str, str]) -> None:
        """Make a table of a CSV file, of text where no type is named."""
        with path.open(encoding="utf-8", newline="") as stream:
            header = next(csv.reader(stream))
        columns = ", ".join(f"{name} {types.get(name, 'text')}" for name in header)
        with self.connect() as connection:
            connection.execute(f"create table {name} ({columns})")
            copy = f"copy {name} from stdin (format csv, header)"
            with connection.cursor().copy(copy) as stream:
                stream.write(path.read_bytes())
