# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where lines go: a block that steps aside on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading

import pytest
from ansible_collections.spymeo.rollback.plugins.callback.progress import (
    CallbackModule,
    LivingLines,
    PlainLines,
    private_socket,
    redraws,
    runs,
)
from ansible_collections.spymeo.rollback.plugins.module_utils._io.progress import SOCKET
from ansible_collections.spymeo.rollback.plugins.plugin_utils._waits import Task, Wait

WAIT = Wait(7, "restore", "", 0.0, 1.0, "creating", 12.0, None, 100.0)
MOVED = Wait(7, "restore", "", 0.0, 1.0, "modifying", 13.0, None, 101.0)


class Display:
    """Ansible's Display as far as it prints."""

    def __init__(self):
        self.text = ""

    def display(self, message, color=None, screen_only=False, newline=True):
        self.text += message + "\n" * newline


def test_plain_lines_hold_news_back_until_the_interval_is_over():
    display = Display()
    lines = PlainLines(display, 5, 60)
    assert lines.show({"it": WAIT}, 100) == 60
    assert lines.show({"it": MOVED}, 101) == 4
    assert lines.show({"it": MOVED}, 105) == 60
    assert display.text == "WAIT      restore 0:12: creating\nWAIT      restore 0:17: modifying\n"


def test_a_wait_that_is_over_and_comes_again_is_printed_again():
    display = Display()
    lines = PlainLines(display, 5, 60)
    for waits in ({"it": WAIT}, {}, {"it": WAIT}):
        lines.show(waits, 100)
    assert display.text.count("WAIT") == 2


def test_an_unchanged_wait_is_told_again_with_how_long_it_usually_takes():
    display = Display()
    lines = PlainLines(display, 5, 60)
    for now in range(100, 231):
        lines.show({"it": WAIT}, now, Task("Restore", 90), {"restore": 312.0})
    assert display.text == "".join(
        f"WAIT      restore {at}, usually 5:12: creating\n" for at in ("0:12", "1:12", "2:12")
    )


def test_a_task_that_tells_nothing_is_told_too_once_in_a_while():
    display = Display()
    lines = PlainLines(display, 5, 60)
    for now in range(100, 231):
        lines.show({}, now, Task("Verify", 100))
    assert display.text == "WAIT      1:00: Verify\nWAIT      2:00: Verify\n"
    lines.show({}, 250, Task("Retire", 249))
    assert display.text.count("WAIT") == 2


def test_a_terminal_shows_which_task_works_when_it_tells_nothing():
    display = Display()
    lines = LivingLines(display, threading.RLock())
    lines.show({}, 104, Task("Verify", 100))
    assert display.text == ""
    lines.show({}, 105, Task("Verify", 100))
    assert display.text == "WAIT      0:05: Verify\n"
    lines.show({"it": WAIT}, 106, Task("Verify", 100))
    assert "Verify" not in display.text.rpartition("\x1b[J")[2]


def test_living_lines_step_aside_for_other_output_and_come_back():
    display = Display()
    lines = LivingLines(display, threading.RLock())
    assert lines.show({"it": WAIT}, 100) == 1
    display.display("changed: [host]")
    lines.show({"it": WAIT}, 101)
    assert lines.show({}, 102) is None
    assert display.text == (
        "WAIT      restore 0:12: creating\n"
        "\x1b[1A\x1b[Jchanged: [host]\n"
        "WAIT      restore 0:13: creating\n"
        "\x1b[1A\x1b[J"
    )


def test_a_worker_neither_draws_nor_waits_for_the_lock():
    display, lock = Display(), threading.Lock()
    lines = LivingLines(display, lock)
    lines.show({"it": WAIT}, 100)
    lines._pid = os.getppid()
    with lock:
        display.display("from a worker")
    assert display.text.endswith("creating\nfrom a worker\n")


def test_living_lines_leave_the_display_as_it_was():
    display = Display()
    lines = LivingLines(display, threading.RLock())
    lines.show({"it": WAIT}, 100)
    lines.close()
    assert "display" not in vars(display)
    assert display.text.endswith("\x1b[1A\x1b[J")


@pytest.mark.parametrize(
    ("terminal", "environment", "living"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {"TERM": "xterm", "ANSIBLE_NOCOLOR": "1"}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "xterm", "AWX_ISOLATED_DATA_DIR": "/runner/artifacts/1"}, False),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_redraws_only_where_somebody_looks(terminal, environment, living):
    assert redraws(terminal, environment) is living


def test_knows_whether_a_module_still_runs():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as module:
        assert runs(module.pid)
    assert not runs(module.pid)


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """The temporary directory, with a path beyond the 108 bytes that Linux allows for a socket's."""
    place = tmp_path / ("deep" * 30)
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def test_a_socket_that_cannot_be_made_leaves_no_directory(deep):
    with pytest.raises(OSError, match="too long"):
        private_socket()
    assert list(deep.iterdir()) == []


def test_where_no_socket_can_be_the_run_goes_on_without(deep, monkeypatch):
    callback, warnings = CallbackModule(), []
    monkeypatch.setattr(callback, "get_option", {"enabled": True, "interval": 5, "heartbeat": 60}.get)
    monkeypatch.setattr(callback._display, "warning", warnings.append)
    callback.v2_playbook_on_start(None)
    callback.v2_playbook_on_stats(None)
    assert callback.disabled
    assert warnings == ["Progress cannot be shown: AF_UNIX path too long"]


def test_what_is_opened_is_private_and_gone_at_the_end(monkeypatch):
    monkeypatch.delenv(SOCKET, raising=False)
    before = signal.getsignal(signal.SIGTERM)
    callback = CallbackModule()
    monkeypatch.setattr(callback, "get_option", {"enabled": True, "interval": 5, "heartbeat": 60}.get)
    callback.v2_playbook_on_start(None)
    directory = os.path.dirname(os.environ[SOCKET])
    assert os.stat(directory).st_mode & 0o777 == 0o700
    callback.v2_playbook_on_start(None)  # the next playbook of the same command
    assert os.path.dirname(os.environ[SOCKET]) == directory
    assert signal.getsignal(signal.SIGTERM) == callback._ended
    callback.v2_playbook_on_stats(None)
    assert signal.getsignal(signal.SIGTERM) == before
    assert SOCKET not in os.environ
    assert not os.path.exists(directory)
