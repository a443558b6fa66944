# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file of tests meets nothing of the person's or of another file, and is told when it leaves something."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

CONFTEST = pathlib.Path(__file__).parents[1] / "conftest.py"
OPTIONS = ["-p", "no:pytest-ansible", "-p", "no:cacheprovider", "--import-mode=importlib", "-q"]
LEAKS = {
    "os.environ": "import os\ndef test(): os.environ['AWS_PROFILE'] = 'left'",
    "the current directory": "import os\ndef test(tmp_path): os.chdir(tmp_path)",
    "the umask": "import os\ndef test(): os.umask(0o077)",
    "sys.path": "import sys\ndef test(): sys.path.append('/left')",
    "sys.meta_path": "import sys\ndef test(): sys.meta_path.append(None)",
    "tempfile.tempdir": "import tempfile\ndef test(): tempfile.tempdir = '/left'",
    "signal handlers": "import signal\ndef test(): signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "the default timeout of sockets": "import socket\ndef test(): socket.setdefaulttimeout(1)",
    "the locale": "import locale\ndef test(): locale.setlocale(locale.LC_ALL, 'C')",
    "processes": "import subprocess\ndef test(): subprocess.Popen(['sleep', '30'])",
}
HARMLESS = """
import os, pathlib, boto3
from moto.core.base_backend import BackendDict
from moto.server import ThreadedMotoServer
def test(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    home = pathlib.Path.home()
    assert not (home / "store").exists()
    (home / "store").mkdir()
    assert "AWS_PROFILE" not in os.environ and "HTTPS_PROXY" not in os.environ
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    keys = dict(region_name="eu-west-3", aws_access_key_id="AKIA", aws_secret_access_key="secret")
    ec2 = boto3.client("ec2", endpoint_url="http://%s:%d" % server.get_host_and_port(), **keys)
    ec2.create_security_group(GroupName="database", Description="one")
    server.stop()
"""


@pytest.fixture
def run(tmp_path):
    """Run pytest on {name: text} beside the conftest.py of the tests; gives its exit code, what it said, and the home it had."""

    def run(files, *options, **environment):
        shutil.copy(CONFTEST, tmp_path)
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        command = [sys.executable, "-m", "pytest", *OPTIONS, *options, str(tmp_path)]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.mark.parametrize("what", LEAKS)
def test_who_leaves_something_is_told_what(run, what):
    code, said = run({"test_leak.py": LEAKS[what], "test_next.py": "def test(): pass"})
    assert code == 1, said
    assert f"test_leak.py leaves otherwise than it was: {what}\n" in said
    assert "2 passed, 1 error" in said


def test_two_files_that_make_the_same_do_not_meet(run, tmp_path):
    person = tmp_path / "person"
    (person / "store").mkdir(parents=True)
    environment = {"HOME": str(person), "AWS_PROFILE": "none", "HTTPS_PROXY": "http://127.0.0.1:1", "TMPDIR": "/proc"}
    code, said = run({"test_one.py": HARMLESS, "test_other.py": HARMLESS}, **environment)
    assert code == 0, said
    assert [entry.name for entry in person.iterdir()] == ["store"]


def test_a_seed_gives_an_order_of_files_and_keeps_that_within_them(run):
    files = {f"test_{name}.py": "def test_2(): pass\ndef test_1(): pass" for name in "abcdefgh"}
    orders = []
    for options in ([], ["--shuffle", "1"], ["--shuffle", "1"], ["--shuffle", "2"]):
        code, said = run(files, "-vv", *options)
        assert code == 0, said
        orders.append(re.findall(r"test_(.)\.py::test_(.) PASSED", said))
    assert orders[0] == [(name, number) for name in "abcdefgh" for number in "21"]
    assert orders[1] == orders[2]
    assert len({str(order) for order in orders}) == 3
    assert all(order[::2] == [(name, "2") for name, _number in order[1::2]] for order in orders)
    assert "order: files at random, again with --shuffle 2" in said
