# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A long wait is shown while it lasts: redrawn on a terminal, in plain lines elsewhere; and nothing of it is left or needed."""

from __future__ import annotations

import itertools
import json
import os
import pty
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from .held import held

ROOT = Path(__file__).parents[2]
RESTORE = 6  # seconds, of slow_production
PLAYBOOK = """
- hosts: all
  connection: local
  gather_facts: false
  module_defaults:
    group/spymeo.rollback.all: "{{ rollback_aws | combine({'region': rollback_region}) }}"
  tasks:
    - name: Wait for long
      spymeo.rollback.rds_restore:
        db_instance: "{{ rollback_db_instance }}"
        snapshot: "{{ rollback_snapshot }}"
        new_db_instance: "{{ new }}"
        run_id: "rb-{{ new }}"
        run: "{{ run }}"
"""
QUIET = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Verify for long
      ansible.builtin.command: sleep 3.7
      changed_when: false
"""
ERASED = re.compile(r"\x1b\[(\d+)A\x1b\[J")
COLOUR = re.compile(r"\x1b\[[\d;]*m")


@pytest.fixture
def temporary():
    """Where the sockets of one test go; pytest's own directories may be too long for one."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@pytest.fixture
def start(slow_production, temporary, tmp_path):
    """Start the playbook, from the root of the clone, whose ansible.cfg enables the callback."""
    (tmp_path / "wait.yml").write_text(PLAYBOOK)

    def begin(new, stdout, cwd=ROOT, **environment):
        inventory = str(ROOT / "inventories/lab")
        variables = {"new": new, "run": held(tmp_path / "held", f"rb-{new}")}
        return subprocess.Popen(
            ["ansible-playbook", str(tmp_path / "wait.yml"), "-i", inventory, "-e", json.dumps(variables)],
            cwd=cwd,
            env=slow_production.environment(TMPDIR=str(temporary), **environment),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
        )

    return begin


def through_a_terminal(start, new):
    """Exit code and every byte that a terminal of 80 columns got."""
    ours, theirs = pty.openpty()
    playing = start(new, theirs, TERM="xterm")
    os.close(theirs)
    got = b""
    while True:
        try:
            got += os.read(ours, 65536)
        except OSError:  # how Linux says that nobody writes to the terminal any more
            os.close(ours)
            return playing.wait(), got.decode().replace("\r\n", "\n")


def screen(text):
    """The lines that are left on a terminal: what is erased is whole lines above the cursor."""
    shown, *later = ERASED.split(COLOUR.sub("", text))
    for up, printed in zip(later[::2], later[1::2], strict=True):
        shown = "".join(shown.splitlines(keepends=True)[: -int(up)]) + printed
    return shown.splitlines()


def lines_with_times(playing):
    """(seconds, line) of what a pipe gets, as it comes."""
    return [(time.monotonic(), line.rstrip("\n")) for line in iter(lambda: playing.stdout.readline().decode(), "")]


def test_a_terminal_shows_one_line_that_lives_and_goes(start, temporary):
    code, got = through_a_terminal(start, "living")
    assert code == 0, got
    seconds = re.findall(r"WAIT      restore 0:(\d\d): creating \(DB instance living\)\n", got)
    assert len(set(seconds)) >= RESTORE - 2
    assert seconds == sorted(seconds)
    assert len(ERASED.findall(got)) >= got.count("WAIT")
    left = screen(got)
    assert not [line for line in left if "WAIT" in line]
    assert [line for line in left if line == "changed: [spymeo-lab]"]
    assert list(temporary.glob("spymeo-progress-*")) == []


def test_a_pipe_gets_a_plain_line_at_each_change_and_not_too_often(start, temporary):
    interval = 2.0
    playing = start("plain", subprocess.PIPE, SPYMEO_ROLLBACK_PROGRESS_INTERVAL=str(interval))
    printed = lines_with_times(playing)
    text = "\n".join(line for _at, line in printed)
    assert playing.wait() == 0, text
    times = [at for at, line in printed if line.startswith("WAIT      restore")]
    assert "WAIT      restore 0:00: creating (DB instance plain)" in text
    assert text.count("creating (DB instance plain)") == 1
    assert "\x1b" not in text
    assert all(later - earlier >= interval - 0.3 for earlier, later in itertools.pairwise(times))
    # They came while it lasted: before the result, not with it.
    (changed,) = (at for at, line in printed if line == "changed: [spymeo-lab]")
    assert changed - times[0] > RESTORE - 2
    assert list(temporary.glob("spymeo-progress-*")) == []


def test_a_pipe_gets_a_sign_of_life_though_nothing_changes(start):
    heartbeat = {"SPYMEO_ROLLBACK_PROGRESS_HEARTBEAT": "1"}
    text = start("beating", subprocess.PIPE, **heartbeat).communicate()[0].decode()
    seconds = [int(at) for at in re.findall(r"WAIT      restore 0:(\d\d): creating \(DB instance beating\)\n", text)]
    assert len(seconds) >= RESTORE - 3, text
    assert all(0 < later - earlier <= 2 for earlier, later in itertools.pairwise(seconds))


def test_so_it_does_of_a_task_that_tells_nothing(slow_production, tmp_path):
    (tmp_path / "quiet.yml").write_text(QUIET)
    command = ["ansible-playbook", "-i", "localhost,", "-c", "local", str(tmp_path / "quiet.yml")]
    played = slow_production.run(command, SPYMEO_ROLLBACK_PROGRESS_HEARTBEAT="1")
    assert played.code == 0, played.output
    told = re.findall(r"WAIT      0:0(\d): Verify for long\n", played.output)
    assert told[:3] == ["1", "2", "3"], played.output


def test_a_killed_run_is_in_nobodys_way(start, temporary):
    playing = start("killed", subprocess.PIPE)
    for line in iter(lambda: playing.stdout.readline().decode(), ""):
        if line.startswith("WAIT"):
            break
    playing.send_signal(signal.SIGKILL)
    playing.wait()
    playing.stdout.close()
    (left,) = temporary.glob("spymeo-progress-*")
    assert left.stat().st_mode & 0o777 == 0o700
    again = start(
        "after-it", subprocess.PIPE
    )  # the restore of the killed run may be done by now, and nobody wait for it
    text = again.communicate()[0].decode()
    assert again.returncode == 0, text
    assert "WAIT      restore" in text
    assert list(temporary.glob("spymeo-progress-*")) == [left]


@pytest.mark.parametrize(
    ("new", "directory", "environment"),
    [
        ("off", ROOT, {"SPYMEO_ROLLBACK_PROGRESS_ENABLED": "false"}),
        ("elsewhere", Path("/"), {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")}),
    ],
    ids=["switched off", "no ansible.cfg that enables it"],
)
def test_nothing_depends_on_it(start, new, directory, environment):
    playing = start(new, subprocess.PIPE, directory, **environment)
    text = playing.communicate()[0].decode()
    assert playing.returncode == 0, text
    assert "WAIT" not in text
    assert "callback" not in text
