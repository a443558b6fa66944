# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What holds for every test: it meets nothing of the person's, and no file of tests meets anything of another one.

Each process has a home of its own, and an environment without the person's settings. What the process itself remembers is
looked at after each file: whoever leaves it otherwise than it was fails, whichever file comes next. `--shuffle SEED` puts
the files into another order.
"""

from __future__ import annotations

import collections
import contextlib
import locale
import os
import pathlib
import random
import shutil
import signal
import socket
import sys
import tempfile
import time

import hypothesis
import pytest

hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
# On an older Python a property is to show that the code runs there; what it says is looked for on the newest.
hypothesis.settings.register_profile("brief", hypothesis.settings.get_profile("busy"), max_examples=20)
hypothesis.settings.load_profile("busy")  # properties are judged by what they find, never by how busy the machine is

# Beginnings of variables that change what is tested. Without bytecode each of thousands of processes would compile all that it imports.
PERSONAL = (
    "AWS_",
    "ANSIBLE_",
    "SPYMEO_",
    "MOLECULE_",
    "MOTO_",
    "XDG_",
    "LC_",
    "LANG",
    "TMPDIR",
    "PYTHONDONTWRITEBYTECODE",
)
WITH_LABS = "tests/integration/"
GRACE = 10  # seconds: who takes a lab down waits for its files to go, and its last process for itself
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD, signal.SIGALRM, signal.SIGPIPE)


def pytest_addoption(parser):
    parser.addoption(
        "--shuffle", type=int, metavar="SEED", help="the files of tests in a random order, repeated by its seed"
    )


def pytest_configure(config):
    """Before anything is imported: Ansible reads the home and the environment while it is."""
    for name in list(os.environ):
        if name.startswith(PERSONAL) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["LC_ALL"] = "C.UTF-8"
    locale.setlocale(locale.LC_ALL, "")  # as whoever runs a module first would do for all others
    os.umask(0o022)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it, for plays of tests too
    tempfile.tempdir = None
    # pytest's own directories stay where they are, so that what a test has written can be looked at afterwards.
    os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.gettempdir()
    own = tempfile.mkdtemp(prefix="spymeo-tests-")
    config.add_cleanup(lambda: shutil.rmtree(own, ignore_errors=True))
    for name, folder in (("HOME", "home"), ("TMPDIR", "tmp")):
        os.environ[name] = f"{own}/{folder}"
        os.mkdir(os.environ[name])
    tempfile.tempdir = None
    config.option.loadscopereorder = False  # pytest-xdist's, which would sort the files


def pytest_report_header(config):
    if config.option.shuffle is None:
        return "order: files that need a lab first, those with most tests before others"
    return f"order: files at random, again with --shuffle {config.option.shuffle}"


def pytest_collection_modifyitems(config, items):
    """Tests of one file stay together and in order: a file may share what is slow to make.

    What takes long comes first, so that workers end at about the same time: of a lab's tests each takes seconds, of others hundreds do.
    """
    tests = collections.Counter(_file(item) for item in items)
    files = sorted(tests, key=lambda name: (not name.startswith(WITH_LABS), -tests[name], name))
    if config.option.shuffle is not None:
        random.Random(config.option.shuffle).shuffle(files)
    place = {name: number for number, name in enumerate(files)}
    items.sort(key=lambda item: place[_file(item)])


def _file(item) -> str:
    return item.nodeid.partition("::")[0]


def _remembered() -> dict:
    """What this process would hand on to the next file of tests."""
    umask = os.umask(0)
    os.umask(umask)
    return {
        "os.environ": {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
        "the current directory": os.getcwd(),
        "the umask": umask,
        "sys.path": list(sys.path),
        # six adds a finder of its own wherever it is imported first, as botocore does.
        "sys.meta_path": [finder for finder in sys.meta_path if "six" not in type(finder).__module__],
        "tempfile.tempdir": tempfile.gettempdir(),
        "signal handlers": {number.name: signal.getsignal(number) for number in SIGNALS},
        "the default timeout of sockets": socket.getdefaulttimeout(),
        "the locale": locale.setlocale(locale.LC_ALL),
    }


def _children() -> set[str]:
    """Processes that this one has started and that have not ended, by id, name and command; who has ended may wait to be asked for its code."""
    found = set()
    for listed in pathlib.Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread, or a process, that has just ended
            for pid in listed.read_text().split():
                name, _bracket, rest = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")
                command = (
                    pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
                # multiprocessing keeps its tracker for as long as there is the process.
                if rest.split()[0] != "Z" and "multiprocessing.resource_tracker" not in command:
                    found.add(f"{name}) {command[:300]}")
    return found


def _forget() -> None:
    """Empty what libraries keep for a whole process, and the home, but for what Ansible has there until it ends."""
    if base := sys.modules.get("moto.core.base_backend"):
        base.BackendDict.reset()
    if boto3 := sys.modules.get("boto3"):
        boto3.DEFAULT_SESSION = None  # it keeps the credentials that it has found
    for entry in pathlib.Path(os.environ["HOME"]).iterdir():
        if entry.name != ".ansible":
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


@pytest.fixture(scope="module", autouse=True)
def _as_it_was(request):
    """A file of tests begins with an empty moto and an empty home, and leaves the process as it was."""
    _forget()
    # pytest-ansible changes how its process imports; test_modules_alone.py gives it one of its own.
    if request.config.pluginmanager.has_plugin("pytest-ansible"):
        yield
        return
    before, running = _remembered(), _children()
    yield
    after = _remembered()
    changed = [what for what in before if after[what] != before[what]]
    left = [f"{what}\n  before {before[what]}\n  after  {after[what]}" for what in changed]
    deadline = time.monotonic() + GRACE
    while processes := _children() - running:
        if time.monotonic() > deadline:
            left.append(f"processes\n  {sorted(processes)}")
            break
        time.sleep(0.05)
    assert not left, f"{request.node.nodeid} leaves otherwise than it was: " + "\n".join(left)
