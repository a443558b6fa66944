# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Python imports this at its start when this folder is on PYTHONPATH: it writes down what each process does, and when.

Every Python of a run loads it: ansible-playbook, its workers, the modules. A span is a line of JSON in the file that
SPYMEO_BENCH_SPANS names: what (`kind`), of what (`name`), `pid`, and `began` and `ended` on the monotonic clock, which all
processes of a machine share. Each is written as it ends, because workers leave without running exit handlers. bench.shares
reads them.
"""

from __future__ import annotations

import atexit
import builtins
import functools
import json
import os
import sys
import threading
import time
import zipimport

# After the import of a module: the function to be timed, and the kind of its spans. Ansible's are those of ansible-core 2.19 to 2.21.
HOOKS = {
    "ansible.inventory.manager": [("InventoryManager.parse_sources", "inventory")],
    "ansible.executor.playbook_executor": [("PlaybookExecutor.run", "playbook")],
    "ansible.playbook": [("Playbook.load", "loading")],
    "ansible.vars.manager": [("VariableManager.get_vars", "variables")],
    "ansible._internal._templating._engine": [
        ("TemplateEngine.template", "templating"),
        ("TemplateEngine.evaluate_conditional", "templating"),
    ],
    "ansible.executor.process.worker": [("WorkerProcess.start", "fork"), ("WorkerProcess.run", "worker")],
    "ansible.plugins.action": [
        ("ActionBase._configure_module", "module build"),
        ("ActionBase._make_tmp_path", "module files"),
        ("ActionBase._transfer_file", "module files"),
        ("ActionBase._transfer_data", "module files"),
        ("ActionBase._fixup_perms2", "module files"),
        ("ActionBase._remove_tmp_path", "module files"),
        ("ActionBase._low_level_execute_command", "module start and end"),
    ],
    "ansible.utils.collection_loader._collection_finder": [
        ("_AnsibleCollectionPkgLoaderBase.get_code", "compiling"),
    ],
    "ansible_collections.spymeo.rollback.plugins.plugin_utils._forked": [("ForkedModule._run_forked", "module")],
    "boto3.session": [("Session.__init__", "clients"), ("Session.client", "clients")],
    "botocore.client": [("BaseClient._make_api_call", "botocore")],
    "botocore.httpsession": [("URLLib3Session.send", "AWS")],
    "requests.sessions": [("Session.request", "HTTP checks")],
    "psycopg": [("Connection.connect", "SQL"), ("Cursor.execute", "SQL")],
}


class Spans:
    """Writes spans; of nested spans of one kind in one thread only the outermost."""

    def __init__(self, path: str):
        self._path = path
        self._inside = threading.local()

    def write(self, kind: str, name: str, began: float, ended: float) -> None:
        """Append one span. A line is far below 4 KiB, so that lines of several processes do not mix."""
        line = {"kind": kind, "name": name, "pid": os.getpid(), "began": began, "ended": ended}
        with open(self._path, "ab", buffering=0) as file:
            file.write(json.dumps(line).encode() + b"\n")

    def timed(self, function, kind: str, unless_pid: int | None = None):
        """The function, with a span for each outermost call; none in the process `unless_pid`."""

        @functools.wraps(function)
        def call(*args, **kwargs):
            if getattr(self._inside, kind, False) or os.getpid() == unless_pid:
                return function(*args, **kwargs)
            setattr(self._inside, kind, True)
            began = time.monotonic()
            try:
                return function(*args, **kwargs)
            finally:
                setattr(self._inside, kind, False)
                self.write(kind, function.__qualname__, began, time.monotonic())

        return call

    def hook(self, module, path: str, kind: str) -> None:
        """Put the timed function in the place of `Class.function` of a module."""
        owner, _, name = path.rpartition(".")
        place = getattr(module, owner)
        found = place.__dict__[name]
        bound = type(found) if isinstance(found, (staticmethod, classmethod)) else lambda function: function
        setattr(place, name, bound(self.timed(getattr(found, "__func__", found), kind)))


class Imports:
    """Takes the place of `__import__`: times the outermost import, and hooks what has come with it."""

    def __init__(self, spans: Spans):
        self._spans, self._import = spans, builtins.__import__
        self._waiting = dict(HOOKS)
        self._depth = threading.local()

    def __call__(self, name, *args, **kwargs):
        """`__import__`."""
        if getattr(self._depth, "inside", False):
            return self._import(name, *args, **kwargs)
        self._depth.inside, known, began = True, len(sys.modules), time.monotonic()
        try:
            return self._import(name, *args, **kwargs)
        finally:
            self._depth.inside = False
            if len(sys.modules) != known:
                self._spans.write("imports", name, began, time.monotonic())
                self._hook()

    def _hook(self) -> None:
        for module in [name for name in self._waiting if name in sys.modules]:
            for path, kind in self._waiting.pop(module):
                self._spans.hook(sys.modules[module], path, kind)


def _is_module() -> bool:
    """Whether this Python was started for a module: AnsiballZ calls its file so."""
    return any("AnsiballZ_" in argument for argument in sys.orig_argv)


def _install(path: str) -> None:
    spans, began = Spans(path), time.monotonic()
    builtins.__import__ = Imports(spans)
    zipimport._compile_source = spans.timed(zipimport._compile_source, "compiling")
    playbook = None if _is_module() else os.getpid()
    # ansible-playbook sleeps, too, but waits for its workers then.
    time.sleep = spans.timed(time.sleep, "pauses", unless_pid=playbook)
    if not playbook:
        name = next(argument for argument in sys.orig_argv if "AnsiballZ_" in argument)
        name = os.path.basename(name).removeprefix("AnsiballZ_").removesuffix(".py")
        atexit.register(lambda: spans.write("module", name, began, time.monotonic()))


if "SPYMEO_BENCH_SPANS" in os.environ:
    _install(os.environ["SPYMEO_BENCH_SPANS"])
