# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The PostgreSQL servers themselves: where they can run, and that they leave nothing."""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest

from spymeo_lab import postgres


def shared_memory_segments() -> set[str]:
    """Ids of System V shared memory segments, which outlive a process that is killed."""
    return {line.split()[1] for line in pathlib.Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def serving(directory: pathlib.Path) -> list[str]:
    """Command lines of processes that mention `directory`."""
    lines = [path.read_bytes().replace(b"\0", b" ").decode() for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
    return [line for line in lines if str(directory) in line and "postgres" in line]


def test_a_clone_in_a_home_that_others_cannot_enter_serves(lab):
    private = lab.lab.directory / "home"
    for part in (postgres.PROGRAMS, postgres.LIBRARIES):
        shutil.copytree(postgres.site_packages() / part, private / part, ignore=shutil.ignore_patterns("include"))
    private.chmod(0o700)
    server = postgres.Server(postgres.Installation(lab.lab, private), lab.lab.addresses.new(), 5432)
    server.initialise("spymeo", "first-Passw0rd", "spymeo")
    with server.connect("spymeo") as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("spymeo",)
    assert os.geteuid() != 0 or str(lab.lab.directory / "postgresql") in serving(server.directory)[0]


def test_a_tree_that_only_its_owner_may_read_is_copied_readable(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0o700)
    postgres.publish(str(tmp_path / "secret"), str(tmp_path / "open"))
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o755
    (tmp_path / "open").chmod(0o644)
    postgres.publish(str(tmp_path / "open"), str(tmp_path / "linked"))
    assert (tmp_path / "linked").stat().st_ino == (tmp_path / "open").stat().st_ino


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
