# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a command has cost is told with all that it started, and without who started it; spans say what a Python did when."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

from bench.measure import BENCH

PYTHON = shlex.quote(sys.executable)
BURN = "import time\nwhile time.process_time() < 0.4: pass"
SPANS = "import json.tool, time; print('done')"


def launched(tmp_path, *command):
    """launch.py's answer, and what the command printed."""
    launcher = [sys.executable, "-I", "-S", str(BENCH / "launch.py"), str(tmp_path / "answer")]
    done = subprocess.run([*launcher, *command], capture_output=True, text=True, check=True, timeout=60)
    return json.loads((tmp_path / "answer").read_text()), done.stdout


def test_an_exit_code_and_the_output_come_through(tmp_path):
    cost, output = launched(tmp_path, "sh", "-c", "echo hello; exit 3")
    assert (cost["code"], output) == (3, "hello\n")


def test_the_work_of_children_counts(tmp_path):
    cost, _output = launched(tmp_path, "sh", "-c", f'{PYTHON} -c "{BURN}"; true')
    assert 0.4 <= cost["cpu"] < 2


def test_the_memory_is_that_of_the_largest_process_and_not_of_who_measures(tmp_path):
    ballast = bytearray(200 * 2**20)
    small, _output = launched(tmp_path, "true")
    large, _output = launched(tmp_path, "sh", "-c", f"{PYTHON} -c 'x = bytearray(120 * 2**20)'; true")
    assert small["memory"] < 40
    assert 120 < large["memory"] < len(ballast) / 2**20


def test_spans_tell_what_a_python_did(tmp_path):
    spans = tmp_path / "spans"
    watched = {**os.environ, "PYTHONPATH": str(BENCH / "spans"), "SPYMEO_BENCH_SPANS": str(spans)}
    done = subprocess.run([sys.executable, "-c", SPANS], env=watched, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in spans.read_text().splitlines()]
    assert done.stdout == "done\n"
    assert "json.tool" in [each["name"] for each in found if each["kind"] == "imports"]
    assert all(each["began"] <= each["ended"] for each in found)


def test_without_being_asked_nothing_is_written(tmp_path):
    watched = {**os.environ, "PYTHONPATH": str(BENCH / "spans")}
    subprocess.run([sys.executable, "-c", SPANS], env=watched, cwd=tmp_path, capture_output=True, check=True)
    assert list(tmp_path.iterdir()) == []
