# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write down each report of a play, for golden texts: the values that it was made of, cut to what it has read, and what it reads as.

    PYTHONPATH=tests/tools/record_reports RECORDED_REPORTS=/tmp/reports .venv/bin/python -m pytest tests/integration/test_rollback_full.py

Python reads this file when it starts. Look through what was written before it goes into golden/: it is what a production has published.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import pathlib
import sys

TARGET = os.environ.get("RECORDED_REPORTS")
MODULE = "ansible_collections.spymeo.rollback.plugins.module_utils._core.report.kinds"


class Read(dict):
    """A mapping that remembers which of its keys were read; a look at all of them reads all."""

    def __init__(self, mapping):
        super().__init__((key, remembering(value)) for key, value in mapping.items())
        self.read = set()

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key):
        self.read.add(key)
        return super().__contains__(key)

    def get(self, key, default=None):
        self.read.add(key)
        return super().get(key, default)

    def __iter__(self):
        self.read.update(dict.keys(self))
        return super().__iter__()

    def __len__(self):
        self.read.update(dict.keys(self))
        return super().__len__()

    def keys(self):
        self.read.update(dict.keys(self))
        return super().keys()

    def values(self):
        self.read.update(dict.keys(self))
        return super().values()

    def items(self):
        self.read.update(dict.keys(self))
        return super().items()


def plain(value):
    """The value in types of Python's own. Ansible templates what is in its mappings when that is asked for, which json does not do."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return json.loads(json.dumps(value, default=str))


def remembering(value):
    """The value with a Read in the place of each of its mappings."""
    if isinstance(value, dict):
        return Read(value)
    return [remembering(item) for item in value] if isinstance(value, list) else value


def what_was_read(value):
    """The value without what nobody has read."""
    if isinstance(value, Read):
        return {key: what_was_read(dict.__getitem__(value, key)) for key in list(dict.keys(value)) if key in value.read}
    return [what_was_read(item) for item in value] if isinstance(value, list) else value


def recording(make_report):
    """``make_report`` that writes down what it makes."""

    def make(kind, values):
        made = make_report(kind, values)
        seen = Read(plain(values))
        text = "\n".join(make_report(kind, seen).text()) + "\n"
        if text.strip():
            story = f"{kind.replace(' ', '-')}/{hashlib.sha256(text.encode()).hexdigest()[:12]}"
            path = pathlib.Path(TARGET) / story
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".json").write_text(json.dumps(what_was_read(seen), indent=1, ensure_ascii=False) + "\n")
            path.with_suffix(".txt").write_text(text)
        return made

    return make


class Finder:
    """Finds the one module that makes reports, as the finders behind it do, and has it record."""

    def find_spec(self, name, path=None, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            module.make_report = recording(module.make_report)

        spec.loader.exec_module = exec_module
        return spec


class Finders(list):
    """With the first one first, whoever comes to stand before it: Ansible puts its own there when it begins."""

    def insert(self, at, finder):
        super().insert(max(at, 1), finder)


if TARGET:
    sys.meta_path = Finders([Finder(), *sys.meta_path])
